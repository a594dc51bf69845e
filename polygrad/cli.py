"""The command `polygrad`: the list of backends, a demonstration on one of them, and the conformance suite.

typer and rich are imported when the command runs, never with polygrad: they are the extra `cli`.
"""

import importlib.metadata
import sys
from typing import TYPE_CHECKING, Annotated

import polygrad

if TYPE_CHECKING:
    import typer

__all__ = ["build_app", "main"]

NEEDS_CLI = (
    "polygrad's command line needs typer and rich: "
    'pip install "polygrad-xp[cli]", or from a checkout: pip install -e ".[cli]"'
)


def version() -> str:
    """Return the version that is installed."""
    try:
        return importlib.metadata.version("polygrad-xp")
    except importlib.metadata.PackageNotFoundError:
        return "(not installed)"


def build_app() -> "typer.Typer":
    """Build the typer application.

    Raises
    ------
    ImportError
        typer or rich is not installed.
    """
    import typer
    from rich.console import Console

    from polygrad import demo as demonstration
    from polygrad.errors import BackendError

    app = typer.Typer(
        help="polygrad: derivatives on whatever array library your data is on.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,  # tracebacks are pasted into reports: keep them plain
    )

    def show_version(wanted: bool) -> None:
        if wanted:
            typer.echo(f"polygrad {version()}")
            raise typer.Exit

    @app.callback()
    def options(
        version: Annotated[
            bool,
            typer.Option("--version", help="Print the version.", callback=show_version, is_eager=True),
        ] = False,
    ) -> None:
        pass

    @app.command()
    def backends() -> None:
        """List the array libraries that polygrad knows, and say which are here."""
        Console().print(demonstration.backend_table(polygrad.backends()))

    @app.command()
    def demo(
        backend: Annotated[str, typer.Option(help="The array library to run on.")] = "numpy",
        steps: Annotated[int, typer.Option(min=0, help="Descent steps of the one layer.")] = 50,
        seed: Annotated[int, typer.Option(help="Seed of the random numbers.")] = 42,
    ) -> None:
        """Train two small models and print what autograd did."""
        try:
            demonstration.run(backend=backend, steps=steps, seed=seed)
        except BackendError as error:
            # not markup: the text may hold square brackets, as in pip install ".[jax]"
            Console(stderr=True).print(str(error), style="red", markup=False, soft_wrap=True)
            raise typer.Exit(2) from None

    from polygrad_conformance.cli import app as conformance

    app.add_typer(conformance, name="conformance")
    return app


def main() -> None:
    """Run the command line, or say which packages it needs."""
    try:
        app = build_app()
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in {"typer", "rich"}:
            raise
        print(NEEDS_CLI, file=sys.stderr)
        raise SystemExit(1) from None
    app(prog_name="polygrad")
