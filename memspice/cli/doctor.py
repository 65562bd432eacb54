"""``memspice doctor``: what is installed, and whether a small circuit comes out right."""

from __future__ import annotations

import click

from memspice import verification
from memspice.cli.options import json_option
from memspice.cli.output import report_result


@click.command("doctor")
@json_option
def doctor_command(as_json: bool) -> None:
    """Check engines, parameter sets and networks."""
    report_result(verification.doctor(), as_json=as_json)
