"""Signal names: ngspice's, which memspice uses everywhere, and VACASK's."""

from __future__ import annotations

import re

from memspice.engines.waveforms import canonical_name

_FLOW = re.compile(r"(.+):flow\((.*)\)")


def save_word(name: str) -> str:
    """What to write after ``save`` for a signal.

    Parameters
    ----------
    name : str
        Canonical: ``v(x1.node)``, ``i(v1)``, ``i(v.x1.vname)``, ``@r.x1.rname[i]``;
        ``i(x1.flow(p,n))`` for a current inside a model.

    Returns
    -------
    str

    Examples
    --------
    >>> save_word("v(x1.node)"), save_word("i(v.x1.vname)"), save_word("@r1[i]")
    ('v("x1:node")', 'i("x1:vname")', 'p("r1","i")')
    """
    device = re.fullmatch(r"@(.+)\[(.+)\]", name)
    if device:
        return f'p("{_instance_path(device[1])}","{device[2]}")'
    kind, inner = name[0], name[2:-1]
    if ".flow(" in inner:  # VACASK counts it among its nodes
        return f'v("{inner.replace(".", ":")}")'
    path = _instance_path(inner) if kind == "i" else inner.replace(".", ":")
    return f'{kind}("{path}")'


def _instance_path(name: str) -> str:
    """``r.x1.rname`` -> ``x1:rname``: ngspice puts the element's letter before the path."""
    first, dot, rest = name.partition(".")
    return (rest if dot and len(first) == 1 else name).replace(".", ":")


def canonical_signal(name: str) -> str:
    """Name of a signal in `Waveforms.signals`, from the one in VACASK's raw file.

    Parameters
    ----------
    name : str
        ``time``, a node ``x1:node``, a branch current ``x1:vname:flow(br)``, or a value
        ``x1:rname.i`` of an instance. A current inside a model keeps the branch's name:
        ``i(x1.flow(p,n))``.

    Returns
    -------
    str

    Examples
    --------
    >>> canonical_signal("x1:node"), canonical_signal("x1:vname:flow(br)"), canonical_signal("r1.i")
    ('v(x1.node)', 'i(v.x1.vname)', '@r1[i]')
    """
    flow = _FLOW.fullmatch(name)
    if flow and flow[2] == "br":
        return canonical_name(f"i({_element_path(flow[1])})")
    if flow:
        return f"i({flow[1].replace(':', '.')}.flow({flow[2]}))".lower()
    instance, dot, value = name.rpartition(".")
    if dot:
        return f"@{_element_path(instance)}[{value}]".lower()
    return canonical_name(name.replace(":", "."))


def _element_path(path: str) -> str:
    """``x1:rname`` -> ``r.x1.rname``; an element outside of subcircuits has its name alone."""
    *instances, element = path.split(":")
    return ".".join([element[0], *instances, element]) if instances else element
