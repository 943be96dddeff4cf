"""The ``bot4`` command: sub-commands that load on use, and errors in one line."""

import difflib
import errno
import importlib
import os
import sys
import traceback
import warnings
from collections.abc import Mapping, Sequence
from typing import Final, NoReturn

import click

from bot4_core.errors import Bot4Error
from bot4_core.exit_codes import ExitCode, exit_code
from bot4_plugins.host_cli.talk import Talk, one_line

__all__ = ["cli", "main"]

SECTIONS: Final[Mapping[str, Mapping[str, tuple[str, str]]]] = {
    "Start": {
        "run": ("run_command:run", "Run a session from a configuration file."),
        "warmup": ("warmup_command:warmup", "Compile all kernels ahead of a session."),
        "doctor": ("doctor_command:doctor", "Check this installation."),
    },
    "Data": {
        "record": ("record_command:record_venue", "Record what a venue says, as it says it."),
        "replay": ("replay_command:replay_files", "Replay recordings and print their books."),
        "import": ("import_command:import_recordings", "Turn foreign recordings into one of ours."),
    },
    "Look": {
        "audit": ("audit_command:audit", "Verify an audit log, and ask it why."),
        "compare": ("compare_command:compare", "Show where two runs went apart."),
        "plugins": ("plugins_command:plugins", "List installed plugins."),
        "venues": ("venues_command:venues", "Show what the installed venues offer."),
        "conformance": (
            "conformance_command:conformance",
            "Check that a part keeps its kind's promises.",
        ),
    },
}
COMMANDS: Final = {name: at for section in SECTIONS.values() for name, (at, _) in section.items()}
FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
EXAMPLES: Final = """Example: bot4 run examples/quickstart.toml

Exit codes and environment: docs/reference/command-line.md"""


class LazyCommands(click.Group):
    """A group whose sub-commands are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the sub-commands in the order a newcomer meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one sub-command."""
        if cmd_name not in COMMANDS:
            return None
        module_name, _, attribute = COMMANDS[cmd_name].partition(":")
        module = importlib.import_module(f"bot4_plugins.host_cli.{module_name}")
        command: click.Command = getattr(module, attribute)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Name the nearest command where there is none of the name."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            near = difflib.get_close_matches(args[0], COMMANDS, n=1)
            hint = f", did you mean {near[0]!r}?" if near else f" ({', '.join(COMMANDS)})"
            ctx.fail(f"no command {args[0]!r}{hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the sub-commands without importing them."""
        width = max(map(len, COMMANDS))
        for title, section in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl(
                    [(name.ljust(width), text) for name, (_, text) in section.items()]
                )


@click.group(
    cls=LazyCommands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80},
    epilog=EXAMPLES,
)
@click.version_option(package_name="bot4-host-cli", prog_name="bot4")
@click.option("-v", "--verbose", is_flag=True, help="Show tracebacks of errors.")
@click.option("-q", "--quiet", is_flag=True, help="No progress and no warnings.")
@click.pass_obj
def cli(talk: Talk, verbose: bool, quiet: bool) -> None:
    """Run trading sessions, replay recordings, and look into what happened.

    Trading is simulated, unless a configuration says "live" and --live is given.
    """
    talk.verbose = verbose or bool(os.environ.get("BOT4_VERBOSE"))
    talk.quiet = quiet


def fail(error: BaseException, talk: Talk) -> NoReturn:
    """Say in one line what went wrong and leave with its code."""
    if talk.verbose:
        traceback.print_exception(error)
    text = one_line(error) or type(error).__name__
    if isinstance(error, KeyboardInterrupt):
        text = "interrupted"
    elif isinstance(error, OSError) and error.errno in FULL and error.filename is None:
        text = f"the result cannot be written ({error.strerror}); free space, or send it elsewhere"
    elif not isinstance(error, Bot4Error):
        text = f"{type(error).__name__}: {text} (bot4 -v COMMAND shows the traceback)"
    click.echo(f"bot4: {text}", err=True)
    raise SystemExit(exit_code(error))


def refuse(error: click.ClickException) -> NoReturn:
    """Say in one line how a command was called wrongly."""
    context = getattr(error, "ctx", None)
    path = context.command_path if isinstance(context, click.Context) else "bot4"
    text = one_line(error.format_message()).removesuffix(".")
    click.echo(f"{path}: {text[:1].lower()}{text[1:]}; see {path} -h", err=True)
    raise SystemExit(ExitCode.USAGE)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and leave with a documented exit code."""
    talk = Talk()
    try:
        with warnings.catch_warnings():
            warnings.showwarning = lambda message, *_, **__: talk.warn(message)
            result = cli.main(arguments, prog_name="bot4", standalone_mode=False, obj=talk)
        sys.stdout.flush()
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.ctx.get_help())
        raise SystemExit(ExitCode.OK) from None
    except click.Abort:
        fail(KeyboardInterrupt(), talk)
    except click.ClickException as error:
        refuse(error)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(ExitCode.FAILURE) from None
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the last door
        fail(error, talk)
    raise SystemExit(result if isinstance(result, int) else ExitCode.OK)
