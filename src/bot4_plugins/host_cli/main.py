"""The ``bot4`` command: sub-commands that load on use, and errors in one line."""

import importlib
import os
import sys
import traceback
from collections.abc import Sequence
from typing import Final, NoReturn

import click

from bot4_core.errors import Bot4Error
from bot4_core.exit_codes import ExitCode, exit_code

COMMANDS: Final[dict[str, tuple[str, str]]] = {
    "run": ("run_command:run", "Run a session from a configuration file."),
    "replay": ("replay_command:replay_files", "Replay recordings and print the books they end in."),
    "import": ("import_command:import_recordings", "Turn foreign recordings into one of ours."),
    "plugins": ("plugins_command:plugins", "Look at installed plugins."),
    "audit": ("audit_command:audit", "Verify and question an audit log."),
    "warmup": ("warmup_command:warmup", "Compile all kernels ahead of a session."),
    "doctor": ("doctor_command:doctor", "Check this installation."),
}


class LazyCommands(click.Group):
    """A group whose sub-commands are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the sub-commands in the order a newcomer meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one sub-command."""
        if cmd_name not in COMMANDS:
            return None
        module_name, _, attribute = COMMANDS[cmd_name][0].partition(":")
        module = importlib.import_module(f"bot4_plugins.host_cli.{module_name}")
        command: click.Command = getattr(module, attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the sub-commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(
    cls=LazyCommands,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Example: bot4 run examples/quickstart.toml",
)
@click.version_option(package_name="bot4-host-cli", prog_name="bot4")
@click.option("-v", "--verbose", is_flag=True, help="Show tracebacks of errors.")
def cli(verbose: bool) -> None:
    """Run trading sessions, replay recordings, and look into what happened.

    Trading is simulated: no order leaves this machine.
    """
    if verbose:
        os.environ["BOT4_VERBOSE"] = "1"


def fail(error: BaseException) -> NoReturn:
    """Say in one line what went wrong and leave with its code."""
    if os.environ.get("BOT4_VERBOSE"):
        traceback.print_exception(error)
    text = " ".join(str(error).split()) or type(error).__name__
    if not isinstance(error, Bot4Error | KeyboardInterrupt):
        text = f"{type(error).__name__}: {text} (bot4 -v shows the traceback)"
    click.echo(f"bot4: {'interrupted' if isinstance(error, KeyboardInterrupt) else text}", err=True)
    raise SystemExit(exit_code(error))


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and leave with a documented exit code."""
    try:
        result = cli.main(arguments, prog_name="bot4", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.ctx.get_help())
        raise SystemExit(ExitCode.OK) from None
    except click.Abort:
        fail(KeyboardInterrupt())
    except click.ClickException as error:
        error.show(sys.stderr)
        raise SystemExit(ExitCode.USAGE) from None
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(ExitCode.FAILURE) from None
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the last door
        fail(error)
    raise SystemExit(result if isinstance(result, int) else ExitCode.OK)
