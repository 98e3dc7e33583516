"""Numbers and tables as the reports have them."""


def number(value):
    """Three digits, or all before the point."""
    if value is None:
        return "-"
    return f"{value:,.0f}" if value >= 99.95 else f"{value:.3g}"


def ms(value_us):
    return "-" if value_us is None else number(value_us / 1000)


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return lines + ["| " + " | ".join(row) + " |" for row in rows] + [""]
