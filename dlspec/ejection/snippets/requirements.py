"""What a network must reach."""


def end_if_short(wanted):
    """Ends the script with exit code 6 where something was not reached.

    Args:
        wanted: what is required -> whether it was reached.
    """
    short = [what for what, is_reached in wanted.items() if not is_reached]
    if short:
        print("The network falls short of what is required:", "; ".join(short))
        raise SystemExit(6)
