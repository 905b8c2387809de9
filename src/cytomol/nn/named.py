"""Modules by the name of a modality, whatever the name is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from torch import nn

__all__ = ["NamedModules"]


class NamedModules(nn.Module):
    """Modules under free names: torch's own dictionary refuses dots and names of its methods.

    Parameters
    ----------
    modules
        Modules by name; their order is kept.
    """

    def __init__(self, modules: Mapping[str, nn.Module]) -> None:
        super().__init__()
        self.names = tuple(modules)
        for name, module in modules.items():
            self.add_module(self._key(name), module)

    @staticmethod
    def _key(name: str) -> str:
        return f"[{name.replace('%', '%25').replace('.', '%2E')}]"

    def __getitem__(self, name: str) -> nn.Module:
        return self.get_submodule(self._key(name))

    def __contains__(self, name: object) -> bool:
        return name in self.names

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)
