"""An analysis in; a page, its tables and figures out."""
