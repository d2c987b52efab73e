"""Reads YAML with plain values only, and reports duplicate keys."""

from collections.abc import Hashable
from typing import Any

import yaml

_Loader: type[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the C parser is ten times as fast


class _StrictLoader(_Loader):  # type: ignore[misc]  # its base is chosen at run time
    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.twins: list[str] = []

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        names = [key for key in keys if isinstance(key, Hashable)]
        for (key_node, _), key in zip(node.value, keys, strict=True):
            if names.count(key) > 1:
                self.twins.append(f'the key "{key}" in line {key_node.start_mark.line + 1} stands more than once')
        mapping: dict[Hashable, Any] = super().construct_mapping(node, deep)
        return mapping


def parse(text: str) -> tuple[Any, list[str]]:
    """Return the value of one YAML document, and its keys that stand more than once; raises `yaml.YAMLError`."""
    loader = _StrictLoader(text)
    try:
        return loader.get_single_data(), loader.twins
    finally:
        loader.dispose()
