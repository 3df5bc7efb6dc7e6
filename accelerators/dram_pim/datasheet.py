"""Prices of processing in DRAM: rows that open, refreshes, and bits on the channel."""

from __future__ import annotations

from dataclasses import dataclass

from accelerators.dram_pim.design import CONSTANTS, DeviceDensity, DramPimDesign, EnergyModel, Technique
from accelerators.dram_pim.expand import library
from accelerators.dram_pim.operands import BATCH
from accelerators.dram_pim.plan import channel_bits_per_tick
from accelerators.dram_pim.timing import REFRESH, clock_of, row_seconds, timing_of
from hwsim.constants import Sourced, by_law, chosen
from hwsim.model.types import ActionRow, Datasheet, UnitRow

VECTOR_WORK = ("add", "multiply", "compare", "logic")
# Multiply-accumulate steps on the narrowest operands: program, rows of its operands, products of a step.
SMALLEST = (
    ("mac_xnor15", (4, BATCH, BATCH), BATCH), ("mac_unsigned", (2, 1, 1), 1), ("mac_signed", (2, 1, 1), 1),
    ("mac_binary", (2, 2, 1), 1), ("mac_ternary", (2, 2, 1, 1), 1),
)
BY_COMMANDS = "done by the row commands of its microprogram, which are charged"
IN_STEPS = "takes the steps of the sequencer, which know how many banks run"
BY_ROWS = "charged as the rows that open"
NOT_PUBLISHED = "not part of this published accounting"


def datasheet(design: DramPimDesign) -> Datasheet:
    """Return the datasheet of `design`.

    The clock is that of a tick, 0.25 ns, which divides every latency. With datasheet currents an activation
    costs VDD (IDD0 tRC - IDD3N tRAS - IDD2N tRP) in each device, 1.22 and 1.44 times that for two and three
    rows.
    """
    clock = 1 / CONSTANTS.tick_s
    return Datasheet(
        clock_hz=clock,
        actions=(*_sequencer_actions(design), *_row_actions(design), *_channel_actions(design),
                 _mac_action(design),
                 *(ActionRow("lanes", name, interval_cycles=0, zero_energy=BY_COMMANDS, zero_time=BY_COMMANDS)
                   for name in VECTOR_WORK)),
        units=_units(design),
    )


def _mac_action(design: DramPimDesign) -> ActionRow:
    """Return the fastest multiply-accumulate that a row of lanes can do: the peak that utilization refers to.

    It runs beside the commands that do the work and never takes longer than they do: its interval is the
    share that one row has in the best number of banks.
    """
    programs, timing = library(*design.files), timing_of(design)
    intervals = []
    for name, lengths, batch in SMALLEST:
        ticks = timing.by_banks(programs.count(name, lengths), design.banks).tolist()
        intervals += [whole // (banks * batch) for banks, whole in enumerate(ticks, 1)]
    return ActionRow("lanes", "mac", lanes=design.lanes, zero_energy=BY_COMMANDS,
                     interval_cycles=max(1, min(intervals)))


@dataclass(frozen=True, slots=True)
class Currents:
    """Supply and currents of a datasheet.

    Attributes
    ----------
    supply : Sourced
        VDD.
    idd0, idd2n, idd3n : Sourced
        A bank that opens and closes, all banks closed, a bank open.
    idd4r, idd4w, idd5ab : Sourced
        Bursts of reads, of writes, refresh of all banks.
    """

    supply: Sourced
    idd0: Sourced
    idd2n: Sourced
    idd3n: Sourced
    idd4r: Sourced
    idd4w: Sourced
    idd5ab: Sourced


def currents_of(design: DramPimDesign) -> Currents:
    """Return the currents of the design's device."""
    c = CONSTANTS
    return {
        DeviceDensity.GB4: Currents(c.supply_4gb_v, c.idd0_4gb_a, c.idd2n_4gb_a, c.idd3n_4gb_a, c.idd4r_4gb_a,
                              c.idd4w_4gb_a, c.idd5ab_4gb_a),
        DeviceDensity.GB8: Currents(c.supply_8gb_v, c.idd0_8gb_a, c.idd2n_8gb_a, c.idd3n_8gb_a, c.idd4r_8gb_a,
                              c.idd4w_8gb_a, c.idd5ab_8gb_a),
    }[design.device_density]


def activation_energy(design: DramPimDesign) -> Sourced:
    """Return the joules of opening one row, in every device that takes part."""
    c = CONSTANTS
    if design.energy_model is EnergyModel.NVMAIN:
        return c.nvmain_activation_j
    ras, rp = row_seconds(design)
    i = currents_of(design)
    surplus = i.idd0 * (ras + rp) - (i.idd3n * ras + i.idd2n * rp)
    energy = i.supply * surplus * design.devices
    return by_law(c.law("activation_energy"), energy.value, energy.dimension, {"energy": energy})


def _sequencer_actions(design: DramPimDesign) -> tuple[ActionRow, ...]:
    c = CONSTANTS
    energy, reason = None, NOT_PUBLISHED
    if design.energy_model is EnergyModel.CURRENTS:
        i = currents_of(design)
        found = i.supply * (i.idd5ab - i.idd3n) * REFRESH[design.device_density] * design.devices
        energy, reason = by_law(c.law("refresh_energy"), found.value, found.dimension, {"energy": found}), ""
    refresh = ActionRow("sequencer", "refresh", energy=energy, zero_energy=reason,
                        interval_cycles=timing_of(design).refresh)
    return (ActionRow("sequencer", "step", zero_energy=BY_ROWS), *([refresh] if design.refresh else []))


def _row_actions(design: DramPimDesign) -> tuple[ActionRow, ...]:
    c = CONSTANTS
    kinds = ("ap", "aap", "app", "tapp") if design.technique is Technique.ELP2IM else ("ap", "aap")
    opened = ("single",) if design.technique is Technique.ELP2IM else ("single", "double", "triple")
    if design.energy_model is EnergyModel.AMBIT:
        per_row = c.ambit_copy_j * (design.lanes / (8 * int(c.ambit_page_bytes)))
        commands = [ActionRow("banks", kind, energy=per_row, interval_cycles=0, zero_time=IN_STEPS)
                    for kind in kinds]
        rows = [ActionRow("rows", name, interval_cycles=0, zero_energy="charged by the command",
                          zero_time=IN_STEPS) for name in opened]
        return (*commands, *rows)
    single = activation_energy(design)
    prices = {"single": single, "double": single * c.second_row_ratio, "triple": single * c.third_row_ratio}
    commands = [ActionRow("banks", kind, interval_cycles=0, zero_energy=BY_ROWS, zero_time=IN_STEPS)
                for kind in kinds]
    rows = [ActionRow("rows", name, energy=prices[name], interval_cycles=0, zero_time=IN_STEPS)
            for name in opened]
    return (*commands, *rows)


def _channel_actions(design: DramPimDesign) -> tuple[ActionRow, ...]:
    c = CONSTANTS
    width = chosen(channel_bits_per_tick(design)[0] / 2, "_bits", "design.channel_bits")
    bandwidth = 2 * width / clock_of(design)
    found = []
    for action in ("read", "write"):
        energy, reason = None, NOT_PUBLISHED
        if design.energy_model is EnergyModel.CURRENTS:
            i = currents_of(design)
            burst = i.idd4r if action == "read" else i.idd4w
            beat = clock_of(design) / 2
            price = i.supply * (burst - i.idd3n) * beat / c.width_bits
            law = c.law("burst_energy")
            energy, reason = by_law(law, price.value, price.dimension, {"energy": price}), ""
        found.append(ActionRow("channel", action, energy_per_bit=energy, zero_energy=reason,
                               bits_per_s=bandwidth))
    return tuple(found)


def _units(design: DramPimDesign) -> tuple[UnitRow, ...]:
    c = CONSTANTS
    cell = c.cell_f2_ratio * chosen(design.feature_size_m, "_m", "design.feature_size_m") ** 2
    area = cell * (design.device_bits * design.devices) / c.cells_share_ratio
    overhead = {Technique.SIMDRAM: c.simdram_area_ratio, Technique.ELP2IM: c.elp2im_area_ratio}
    if design.technique in overhead:
        area = area * (1 + overhead[design.technique])
    standby = None
    if design.energy_model is EnergyModel.CURRENTS:
        power = currents_of(design).supply * currents_of(design).idd3n * design.devices
        standby = by_law(c.law("standby_power"), power.value, power.dimension, {"power": power})
    inside = "part of the DRAM dies"
    return (
        UnitRow("rows", area=area, leakage=standby, zero_leakage="" if standby else NOT_PUBLISHED),
        UnitRow("banks", zero_area=inside, zero_leakage=inside),
        UnitRow("sequencer", zero_area="in the memory controller, not published",
                zero_leakage="in the memory controller, not published"),
        UnitRow("lanes", zero_area=inside, zero_leakage=inside),
        UnitRow("channel", role="link", zero_area="pins are part of the dies", zero_leakage=inside),
    )
