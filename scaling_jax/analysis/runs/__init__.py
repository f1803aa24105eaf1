"""Anyone's runs in: run folders, tables, DataFrames; one Runs table out.

`run_folders.read_runs` reads whatever it is given and `table.Runs` holds what
that tells. Of a file `readers` makes sheets; `roles` knows a column by its name,
`understand` chooses among columns, `rows` and `reading` make runs of them, and
`identities`, `repeats` and `statuses` tell which do not count. `histories.load`
adds how each run was trained, `groups` tells which runs need a law each,
`selection.select` which count for which law, and `budgets.isoflop_groups` which
share a budget. Every reader of our config.json asks `recipe`.
"""
