"""What the live tests hold true, and which of it did not come true."""

failures = []


def check(good, what):
    if not good:
        failures.append(what)
        print(f"FAILED: {what}", flush=True)


def check_refused(act, error, what):
    """`act` fails, and in this way."""
    try:
        act()
    except error:
        return
    except OSError as other:
        what = f"{what}: {other!r}"
    check(False, what)
