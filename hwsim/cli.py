"""The command line: words and options only; the work and its heavy imports lie in hwsim.commands."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import typer

from hwsim.commands.words import (
    EngineOf,
    Listing,
    PictureOf,
    Planning,
    SamplingOf,
    SchemaOf,
    Unsupported,
)

app = typer.Typer(
    name="hwsim", rich_markup_mode=None, no_args_is_help=True, pretty_exceptions_enable=False,
    help="Cycles, time, energy and area of neural networks on modeled chips. "
         "Data goes to stdout, notes and errors to stderr.",
    epilog="Start with: hwsim list; hwsim run resnet50 --on systolic; hwsim show systolic",
    context_settings={"help_option_names": ["-h", "--help"]},
)


_COMPLETION = "_HWSIM_COMPLETE"


class UsageProblem(Exception):
    """A command or option that does not exist or lacks its value; the text says what to type."""


Network = Annotated[str, typer.Argument(
    metavar="NETWORK",
    help="An ONNX file, a SCALE-Sim layer CSV, a parity-check matrix (alist), a gate netlist (BLIF), a "
         "memory trace, or a built-in network (`hwsim list workloads`).")]
Networks = Annotated[list[str], typer.Argument(
    metavar="NETWORK|COMPARISON|REPORT.json...",
    help="One network as for `run`; a comparison file (.toml) or a built-in comparison (`hwsim list "
         "comparisons`); or reports of one network that `-o` has written as JSON.")]
_CHIPS: Any = typer.Option(
    "--on", metavar="CHIP[:PRESET]", help="Chip and preset; several with commas or by repeating the option.")
On = Annotated[list[str], _CHIPS]
OnOrNone = Annotated[list[str] | None, _CHIPS]
Set = Annotated[list[str] | None, typer.Option(
    "--set", metavar="KNOB=VALUE",
    help="Change a design knob of every chip named; `hwsim show CHIP` lists them.")]
Dim = Annotated[list[str] | None, typer.Option(
    "--dim", metavar="NAME=SIZE", help="Bind a dynamic dimension of an ONNX file, e.g. sequence=128.")]
Batch = Annotated[int | None, typer.Option("--batch", min=1, metavar="N", help="Samples computed together.")]
Precision = Annotated[str | None, typer.Option(
    "--precision", metavar="FORMAT", help="Number format of weights and activations, e.g. int8.")]
Output = Annotated[list[Path] | None, typer.Option(
    "-o", "--output", metavar="FILE",
    help="Write the report; .json, .csv, .parquet or .html. May be repeated.")]
Timeline = Annotated[Path | None, typer.Option(
    "--timeline", metavar="FILE", help="Write a Chrome trace (.json) for ui.perfetto.dev.")]
OnUnsupported = Annotated[Unsupported, typer.Option(
    "--on-unsupported",
    help="Operators the chip cannot run: stop, run on a host, or count their traffic only.")]
Planned = Annotated[Planning, typer.Option(
    "--schedule", help="Keep activations in the scratchpad as an optimal plan says; show what it saves.")]
Scratchpad = Annotated[str | None, typer.Option(
    "--scratchpad", metavar="SIZE", help="For --schedule, such as 512KiB; the design's if left out.")]
PlanTime = Annotated[float | None, typer.Option(
    "--time-limit", min=0.0, metavar="S", help="Seconds for --schedule; 60 if left out.")]
Functional = Annotated[Path | None, typer.Option(
    "--functional", metavar="FILE.{npz,toml}",
    help="Also run the network in the chip's arithmetic, on samples or as settings say; show errors.")]
Clamp = Annotated[list[str] | None, typer.Option(
    "--clamp", metavar="NAME=VALUE",
    help="Also run a circuit with these buses and wires held, such as P=143; show states and odds. "
         "May be repeated; none holds nothing.")]
ServiceLife = Annotated[str | None, typer.Option(
    "--service-life", metavar="TIME",
    help="Add embodied energy and carbon, and when one chip pays back instead of another; such as 5y.")]
Activity = Annotated[float | None, typer.Option(
    "--activity", metavar="RATIO", help="For --service-life: share of the full rate, 0 to 1.")]
InScenario = Annotated[Path | None, typer.Option(
    "--scenario", metavar="FILE.toml",
    help="For --service-life: dies, idle power, grids; illustrative ones if left out.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="Print neither tables nor notes, only errors.")]


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"hwsim {version('hwsim')}")
        raise typer.Exit


@app.callback()
def _options(version: Annotated[bool, typer.Option(
        "--version", callback=_print_version, is_eager=True,
        help="Print the version and leave.")] = False) -> None:
    """Hold the options that stand before a command."""


@app.command("run")
def _run(network: Network, on: On, settings: Set = None, dim: Dim = None, batch: Batch = None,
         precision: Precision = None, output: Output = None, timeline: Timeline = None,
         on_unsupported: OnUnsupported = Unsupported.ERROR, schedule: Planned = Planning.NONE,
         scratchpad: Scratchpad = None, time_limit: PlanTime = None, functional: Functional = None,
         clamp: Clamp = None, json: Json = False, quiet: Quiet = False) -> int:
    """Cost a network on a chip: layers and totals."""
    from hwsim.commands.evaluate import evaluate
    from hwsim.commands.job import Job

    job = Job(network, tuple(on), tuple(settings or ()), tuple(dim or ()), batch, precision,
              on_unsupported.value, schedule=schedule is Planning.COSMA, scratchpad=scratchpad,
              time_limit_s=time_limit, functional=functional, clamp=tuple(clamp or ()))
    return evaluate(job, tuple(output or ()), timeline, json=json, quiet=quiet)


@app.command("compare")
def _compare(networks: Networks, on: OnOrNone = None, settings: Set = None, dim: Dim = None,
             batch: Batch = None, precision: Precision = None, output: Output = None,
             timeline: Timeline = None, on_unsupported: OnUnsupported = Unsupported.ERROR,
             schedule: Planned = Planning.NONE, scratchpad: Scratchpad = None, time_limit: PlanTime = None,
             service_life: ServiceLife = None, activity: Activity = None, scenario: InScenario = None,
             baseline: Annotated[str | None, typer.Option(
                 "--baseline", metavar="COLUMN",
                 help="Column (CHIP:PRESET) that the others are divided by; the first if left out.")] = None,
             difference: Annotated[bool, typer.Option(
                 "--difference", help="Show which components and events make the difference.")] = False,
             summary: Annotated[list[Path] | None, typer.Option(
                 "--summary", metavar="FILE",
                 help="Write the table of all figures; .csv, .json or .tex. May be repeated.")] = None,
             json: Json = False, quiet: Quiet = False) -> int:
    """Show chips, comparison files or reports side by side."""
    from hwsim.commands.comparing import View, compare
    from hwsim.commands.job import Job

    job = Job("", tuple(on or ()), tuple(settings or ()), tuple(dim or ()), batch, precision,
              on_unsupported.value, schedule=schedule is Planning.COSMA, scratchpad=scratchpad,
              time_limit_s=time_limit, service_life=service_life, activity=activity, scenario=scenario)
    view = View(baseline, difference, tuple(summary or ()))
    return compare(networks, job, view, tuple(output or ()), timeline, json=json, quiet=quiet)


@app.command("schedule")
def _schedule(network: Annotated[str, typer.Argument(
                  metavar="NETWORK|GRAPH.json",
                  help="A network as for `run`, or a plain operator graph with sizes in blocks.")],
              scratchpad: Annotated[str | None, typer.Option(
                  "--scratchpad", metavar="SIZE", help="512KiB, 180blocks, or plain bytes.")] = None,
              sweep: Annotated[str | None, typer.Option(
                  "--sweep", metavar="FROM:TO[:POINTS]", help="Traffic over many sizes.")] = None,
              verify: Annotated[Path | None, typer.Option(
                  "--verify", metavar="PLAN.json", help="Check a plan instead of finding one.")] = None,
              graph: Annotated[str | None, typer.Option(
                  "--graph", metavar="NAME", help="Which graph of a file that holds several.")] = None,
              bits: Annotated[int | None, typer.Option(
                  "--bits", metavar="N", help="Bits per element of activations and weights.")] = None,
              fusion: Annotated[str, typer.Option(
                  "--fusion", metavar="none|tails|operations|sums",
                  help="Which operators run as one step.")] = "operations",
              weights: Annotated[str, typer.Option(
                  "--weights", metavar="none|workspace|tensors",
                  help="Weights outside, as private space of an operator, or as tensors.")] = "none",
              clean_outputs: Annotated[bool, typer.Option(
                  "--clean-outputs/--no-clean-outputs",
                  help="The store of a network output doubles as its spill.")] = True,
              block_bytes: Annotated[int | None, typer.Option(
                  "--block-bytes", metavar="N", help="Granularity of sizes; 1024 if left out.")] = None,
              formulation: Annotated[str, typer.Option(
                  "--formulation", metavar="auto|paper|paper-fixed|windows|gaps|greedy",
                  help="The portfolio, or one integer program alone.")] = "auto",
              solver: Annotated[str | None, typer.Option(
                  "--solver", metavar="cbc|highs|cpsat|none", help="Integer programming solver.")] = None,
              time_limit: Annotated[float | None, typer.Option(
                  "--time-limit", metavar="S", help="Seconds; in a sweep, for each size.")] = None,
              seed: Annotated[int, typer.Option("--seed", metavar="N", help="Of random orders.")] = 0,
              dim: Dim = None, batch: Batch = None,
              output: Annotated[list[Path] | None, typer.Option(
                  "-o", "--output", metavar="FILE",
                  help="Plan (.json) or memory map (.svg, .html). May be repeated.")] = None,
              json: Json = False, quiet: Quiet = False) -> int:
    """Order operators and place tensors for a scratchpad."""
    from hwsim.commands.scheduling import ScheduleJob, schedule

    job = ScheduleJob(network, scratchpad, sweep, verify, graph, tuple(dim or ()), batch, bits, block_bytes,
                      fusion, clean_outputs, weights, formulation, time_limit, solver, seed)
    return schedule(job, tuple(output or ()), json=json, quiet=quiet)


@app.command("sweep")
def _sweep(sources: Annotated[list[str], typer.Argument(
               metavar="SWEEP.toml|NETWORK...", help="A sweep file, or networks as for `run`.")],
           on: OnOrNone = None,
           knob: Annotated[list[str] | None, typer.Option(
               "--knob", metavar="KNOB=VALUES",
               help="8,16,32 or 8:64:8 (steps) or 8:64:x2 (ratios) or 8:64 (sampled) or all.")] = None,
           where: Annotated[list[str] | None, typer.Option(
               "--where", metavar="EXPRESSION",
               help="Keep points such as array_rows * array_cols <= 4096.")] = None,
           batch: Annotated[list[str] | None, typer.Option("--batch", metavar="N,...")] = None,
           precision: Annotated[list[str] | None, typer.Option(
               "--precision", metavar="FORMAT,...")] = None,
           dim: Dim = None,
           sampling: Annotated[SamplingOf | None, typer.Option(
               "--sampling", help="grid if left out.")] = None,
           samples: Annotated[int | None, typer.Option("--samples", min=1, metavar="N")] = None,
           seed: Annotated[int | None, typer.Option("--seed", min=0, metavar="N")] = None,
           limit: Annotated[int | None, typer.Option(
               "--limit", min=1, metavar="N", help="First N points.")] = None,
           objectives: Annotated[list[str] | None, typer.Option(
               "--objectives", metavar="METRIC,...", help="Of a search, and of the front shown.")] = None,
           functional: Functional = None,
           on_unsupported: Annotated[Unsupported | None, typer.Option(
               "--on-unsupported", help="error if left out.")] = None,
           output: Annotated[list[Path] | None, typer.Option(
               "-o", "--output", metavar="FILE", help="Results (.db), and exports (.csv, .parquet).")] = None,
           engine: Annotated[EngineOf, typer.Option("--engine")] = EngineOf.AUTO,
           workers: Annotated[int | None, typer.Option("--workers", min=1, metavar="N")] = None,
           scheduler: Annotated[str | None, typer.Option("--scheduler", metavar="tcp://HOST:PORT")] = None,
           time_limit: Annotated[float | None, typer.Option(
               "--time-limit", metavar="S", help="Seconds for a point.")] = None,
           retry_failed: Annotated[bool, typer.Option(
               "--retry-failed", help="Try failed points again.")] = False,
           dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count the points.")] = False,
           json: Json = False, quiet: Quiet = False) -> int:
    """Evaluate a design space; the same command resumes."""
    from hwsim.commands.sweep_words import SweepJob
    from hwsim.commands.sweeping import sweep
    from hwsim.sweep.driver import Options

    job = SweepJob(tuple(sources), tuple(on or ()), tuple(knob or ()), tuple(where or ()), tuple(batch or ()),
                   tuple(precision or ()), tuple(dim or ()), sampling.value if sampling else None, samples,
                   seed, limit, functional, on_unsupported.value if on_unsupported else None,
                   tuple(objectives or ()))
    options = Options(engine.value, workers, scheduler, time_limit, retry_failed)
    return sweep(job, tuple(output or ()), options, dry_run=dry_run, json=json, quiet=quiet)


@app.command("pareto")
def _pareto(results: Annotated[Path, typer.Argument(
                metavar="RESULTS.db", help="Written by `hwsim sweep`.")],
            objectives: Annotated[list[str] | None, typer.Option(
                "--objectives", metavar="METRIC,...", help="energy_j,latency_s if left out.")] = None,
            output: Annotated[list[Path] | None, typer.Option(
                "-o", "--output", metavar="FILE", help="Draw the front (.svg).")] = None,
            json: Json = False, quiet: Quiet = False) -> int:
    """Show the points of a sweep that no other beats."""
    from hwsim.commands.sweeping import pareto

    return pareto(results, tuple(objectives or ()), tuple(output or ()), json=json, quiet=quiet)


@app.command("report")
def _report(source: Annotated[Path, typer.Argument(
                metavar="RESULTS.db|REPORT.json", help="Written by `hwsim sweep` or by `hwsim run -o`.")],
            output: Annotated[list[Path] | None, typer.Option(
                "-o", "--output", metavar="FILE",
                help="A page (.html) or one picture (.svg). May be repeated.")] = None,
            objectives: Annotated[list[str] | None, typer.Option(
                "--objectives", metavar="METRIC,...",
                help="Of a sweep; energy_j,latency_s if left out.")] = None,
            knobs: Annotated[str | None, typer.Option(
                "--knobs", metavar="KNOB,KNOB",
                help="Axes of the heat map; the two with most effect if left out.")] = None,
            picture: Annotated[PictureOf | None, typer.Option(
                "--picture", help="For .svg; of a sweep: front, tornado, heat; of a report: energy, cycles, "
                                  "roofline, timeline.")] = None,
            quiet: Quiet = False) -> int:
    """Write a page or picture of a sweep or a report."""
    from hwsim.commands.reporting import report

    return report(source, tuple(output or ()), tuple(objectives or ()), knobs,
                  picture.value if picture else None, quiet=quiet)


@app.command("list")
def _list(what: Annotated[Listing | None, typer.Argument(help="All if left out.")] = None,
          json: Json = False) -> int:
    """List chips, built-in networks and comparisons."""
    from hwsim.commands.catalogue import list_names

    return list_names(what.value if what else None, json=json)


@app.command("show")
def _show(name: Annotated[str, typer.Argument(
              metavar="CHIP[:PRESET]|WORKLOAD|COMPARISON", help="A name from `hwsim list`.")],
          json: Json = False) -> int:
    """Show a chip's knobs and numbers, a network, a comparison."""
    from hwsim.commands.catalogue import show

    return show(name, json=json)


@app.command("explain")
def _explain(report: Annotated[Path, typer.Argument(metavar="REPORT.json", help="Written by `run -o`.")],
             layer: Annotated[str | None, typer.Option("--layer", help="Explain one layer.")] = None,
             unit: Annotated[str | None, typer.Option("--unit", help="Explain one unit.")] = None,
             top: Annotated[int, typer.Option("--top", min=0, help="Layers to name per action.")] = 5,
             json: Json = False) -> int:
    """Walk from the joules of a report to their sources."""
    from hwsim.commands.explaining import explain

    return explain(report, layer, unit, top, json=json)


@app.command("validate")
def _validate(chip: Annotated[str | None, typer.Argument(
                  metavar="CHIP", help="A chip, or carbon; all if left out.")] = None,
              json: Json = False) -> int:
    """Compare with published figures; exit code 1 if off."""
    from hwsim.commands.validation import validate

    return validate(chip, json=json)


@app.command("schema")
def _schema(what: Annotated[SchemaOf, typer.Argument(
                help="report, sweep, comparison, or design CHIP.")] = SchemaOf.REPORT,
            chip: Annotated[str | None, typer.Argument(metavar="CHIP", help="Whose design.")] = None) -> int:
    """Print the JSON Schema of reports, files or a design."""
    from hwsim.commands.catalogue import print_schema

    return print_schema(what.value, chip)


def invoke(arguments: Sequence[str] | None = None) -> int:
    """Parse the words after ``hwsim``, run the command and return its exit code.

    Raises
    ------
    UsageProblem
        Unknown command or option, missing or malformed value.
    HwsimError
        Whatever the command refuses.
    """
    command = _parser()
    words = sys.argv[1:] if arguments is None else list(arguments)
    if _COMPLETION in os.environ:
        return int(command.main(args=words, prog_name="hwsim", standalone_mode=False) or 0)
    # Not command.main: it turns an interrupt and a broken pipe into exit codes of its own.
    try:
        with command.make_context("hwsim", words) as context:
            code = command.invoke(context)
    except typer.Exit as leave:
        return leave.exit_code
    except typer.Abort:
        raise KeyboardInterrupt from None
    except Exception as error:
        text = _usage_text(error)
        if text is None:
            raise
        raise UsageProblem(text) from None
    return code if isinstance(code, int) else 0


@cache
def _parser() -> Any:
    """Return the option parser; it is built from the signatures above, which takes longer than parsing."""
    return typer.main.get_command(app)


def _usage_text(error: Exception) -> str | None:
    """Return what to print for an exception of the option parser, None for any other exception."""
    if not isinstance(error, typer.BadParameter.__mro__[2]):
        return None
    message, context = error.format_message(), getattr(error, "ctx", None)  # type: ignore[attr-defined]
    if type(error).__name__ == "NoArgsIsHelpError":
        return str(message)
    path = context.command_path if context is not None else "hwsim"
    message = str(message).replace("Value error, ", "")
    return f"hwsim: error: {message}\nhwsim: see `{path} --help`"
