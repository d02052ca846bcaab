"""Settings of the environment and .env, or wrong usage with each problem named."""

from typing import TYPE_CHECKING

import typer

from api.cli import output

if TYPE_CHECKING:
    from api.settings import Settings


def settings() -> "Settings":
    """What the environment says. Ends the process with exit code 2 if it breaks a rule."""
    from pydantic import ValidationError

    from api.settings import Settings

    try:
        return Settings()
    except ValidationError as error:
        # Names and rules only: the values may be secrets.
        for problem in error.errors():
            name = "_".join(str(step) for step in problem["loc"]).upper()
            name = name if name == "DATABASE_URL" else f"RENTROLL_{name}"
            typer.echo(f"error: {name}: {problem['msg']}", err=True)
        raise typer.Exit(output.EXIT_USAGE) from error
