"""What an editor asks of a spec while someone types: what is wrong and how to cure it, what fits at the cursor, what a
word means. `language_server` gives it to editors, and `dlspec.examine`, `complete` and `explain_at` to Python."""
