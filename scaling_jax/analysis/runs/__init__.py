"""Anyone's runs in: run folders, CSV files, DataFrames; one Runs table out.

`run_folders.read_runs` reads files and `table.Runs` holds what they tell;
`histories.load` adds how each run was trained; `selection.select` tells which
of them count for which law, and `budgets.isoflop_groups` which share a budget.
Every reader of config.json asks `recipe`. `identity.studies` tells which runs one
law can be of, `recipes` and `sweeps` which lost to a better recipe.
"""
