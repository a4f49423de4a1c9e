"""`evaluate:`: metrics, baselines, the verdict, and what the report will draw."""
