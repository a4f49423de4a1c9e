"""Results of several trainings."""

import numpy as np


def print_means(who, results):
    """Prints the mean of every metric over several trainings, and its standard deviation."""
    for metric in results[0]:
        values = [scores[metric] for scores in results]
        spread = f" (sd {np.std(values, ddof=1):.2g}, {len(values)} trainings)" if len(values) > 1 else ""
        print(f"{who}: {metric} {np.mean(values):.4g}{spread}")
