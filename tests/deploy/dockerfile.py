"""Reads a Dockerfile of the plain kind: no here-documents, no ONBUILD."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction; ``text`` is all after its name, on one line."""

    name: str
    text: str

    @property
    def words(self) -> list[str]:
        """Its words, those of the JSON form where it has one."""
        if self.text.startswith("["):
            parsed: list[str] = json.loads(self.text)
            return parsed
        return self.text.split()


@dataclass(slots=True)
class Stage:
    """What stands between two FROMs."""

    name: str
    base: str
    instructions: list[Instruction] = field(default_factory=list)

    def last(self, name: str) -> Instruction:
        return [each for each in self.instructions if each.name == name][-1]


@dataclass(frozen=True, slots=True)
class Dockerfile:
    arguments: dict[str, str]
    """Those before the first FROM, which choose the stages."""
    stages: list[Stage]

    def built(self, **arguments: str) -> list[Stage]:
        """The stages that the last one needs with these arguments, in their order."""
        values = {**self.arguments, **arguments}
        named = {stage.name: stage for stage in self.stages}
        wanted: list[Stage] = []

        def want(stage: Stage) -> None:
            if stage in wanted:
                return
            copies = re.findall(r"--from=(\S+)", " ".join(i.text for i in stage.instructions))
            for needed in (expanded(stage.base, values), *copies):
                if needed in named:
                    want(named[needed])
            wanted.append(stage)

        want(self.stages[-1])
        return wanted


def expanded(text: str, values: Mapping[str, str]) -> str:
    """The text with ``${NAME}`` replaced."""
    return re.sub(r"\$\{(\w+)\}", lambda match: values[match[1]], text)


def read(path: Path) -> Dockerfile:
    lines = [line for line in path.read_text("utf-8").splitlines() if not line.startswith("#")]
    text = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    arguments: dict[str, str] = {}
    stages: list[Stage] = []
    for line in filter(None, map(str.strip, text.splitlines())):
        name, _, rest = line.partition(" ")
        if name == "FROM":
            base, _, alias = rest.partition(" AS ")
            stages.append(Stage(alias or "final", base))
        elif stages:
            stages[-1].instructions.append(Instruction(name, rest.strip()))
        else:
            assert name == "ARG", f"{name} before FROM"
            key, _, value = rest.partition("=")
            arguments[key] = value
    return Dockerfile(arguments, stages)


def pairs(instruction: Instruction) -> dict[str, str]:
    """Names and values of an ENV or ARG."""
    return dict(word.split("=", 1) for word in instruction.words if "=" in word)
