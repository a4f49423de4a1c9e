"""Results of several trainings."""

import numpy as np


def print_means(results):
    """Mean and standard deviation of every metric over several trainings, of the network and of each guess."""
    for who, scores in results[0].items():
        for metric in scores:
            values = [each[who][metric] for each in results]
            spread = np.std(values, ddof=1) if len(values) > 1 else 0.0
            print(f"{who:12s} {metric:20s} {np.mean(values):.4g} (sd {spread:.2g}, {len(values)} trainings)")
