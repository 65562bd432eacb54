"""Whether both forms of each model, Verilog-A and behavioural, have the same interface."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from memspice.engines.osdi import compile_model
from memspice.engines.veriloga import ModuleDeclaration, declaration, subckt_declaration
from memspice.errors import NetlistError
from memspice.resources import resource_path


@dataclass(frozen=True)
class ModelCheck:
    """One model; ``complaint`` says what differs between its two forms, None if nothing does."""

    name: str
    complaint: str | None

    def as_json(self) -> dict[str, str | bool | None]:
        """Entry of ``memspice verify --json``."""
        return {"name": self.name, "agrees": self.complaint is None, "complaint": self.complaint}


def check_models(folder: Path | None = None) -> list[ModelCheck]:
    """Compile every Verilog-A model and compare it with its behavioural twin.

    Parameters
    ----------
    folder : Path, optional
        Where the models are; those of memspice if not given.

    Raises
    ------
    EngineNotFound
        If there is no compiler.
    """
    folder = folder or resource_path("hazard.lib").parent
    return [_check(source) for source in sorted(folder.glob("*.va"))]


def _check(source: Path) -> ModelCheck:
    twin = source.with_suffix(".lib")
    if not twin.exists():
        return ModelCheck(source.stem, f"{source.name} has no behavioural twin {twin.name}")
    try:
        compile_model(source)
        compiled = declaration(source)
        behavioural = subckt_declaration(twin.read_text(encoding="utf-8"))
    except NetlistError as error:
        return ModelCheck(source.stem, str(error))
    complaints = list(_differences(source, compiled, twin, behavioural))
    return ModelCheck(source.stem, "; ".join(complaints) or None)


def _differences(
    source: Path, compiled: ModuleDeclaration, twin: Path, behavioural: ModuleDeclaration
) -> list[str]:
    found = []
    for what, mine, other in (
        ("name", (compiled.name,), (behavioural.name,)),
        ("terminals", compiled.terminals, behavioural.terminals),
        ("parameters", tuple(compiled.parameters), tuple(behavioural.parameters)),
    ):
        if sorted(mine) != sorted(other) or (what == "terminals" and mine != other):
            found.append(
                f"{what} {' '.join(mine)} in {source.name}, {' '.join(other)} in {twin.name}"
            )
    found += [
        f"{name} = {value:g} in {source.name}, {behavioural.parameters[name]:g} in {twin.name}"
        for name, value in compiled.parameters.items()
        if behavioural.parameters.get(name, value) != value
    ]
    return found
