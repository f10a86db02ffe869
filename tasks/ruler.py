"""The 13 tasks of RULER (arXiv:2404.06654, NVIDIA/RULER) as points of our families' parameters.

Names, haystacks, numbers of keys, values, queries, hops and words, and the 128 tokens for the answers of `niah_*` are RULER's; the
texts are our own, and the other answers get the tokens they need. Like RULER's, the needles are placed by the task (at random,
drawn for every sample). Unlike there, the gold document of the question-answering tasks stands at a place drawn for every sample,
word lists are shuffled for every sample, and variable tracking has a second chain that distracts (`-T ruler/vt.chains=1`: none).

The group's score is the plain mean of the members' scores.
"""

from __future__ import annotations

from typing import Any

from lceval.tasks.cwe import Cwe
from lceval.tasks.family import Family, preset
from lceval.tasks.fwe import Fwe
from lceval.tasks.mdqa import Mdqa
from lceval.tasks.niah import Niah
from lceval.tasks.vt import Vt


def _niah(name: str, **params: Any) -> type[Family[Any]]:
    return preset(Niah, f"ruler/{name}", needle_depths="random", max_new_tokens=128, **params)


niah_single_1 = _niah("niah_single_1", haystack="noise")
niah_single_2 = _niah("niah_single_2")
niah_single_3 = _niah("niah_single_3", needle_type="words:uuids")
niah_multikey_1 = _niah("niah_multikey_1", keys=4)
niah_multikey_2 = _niah("niah_multikey_2", haystack="needles")
niah_multikey_3 = _niah("niah_multikey_3", haystack="needles", needle_type="uuids:uuids")
niah_multivalue = _niah("niah_multivalue", values=4)
niah_multiquery = _niah("niah_multiquery", keys=4, queries=4)
vt = preset(Vt, "ruler/vt", haystack="noise")
cwe = preset(Cwe, "ruler/cwe")
fwe = preset(Fwe, "ruler/fwe")
qa_1 = preset(Mdqa, "ruler/qa_1", position="random", metric="ruler_part")
qa_2 = preset(Mdqa, "ruler/qa_2", position="random", metric="ruler_part", hops=2)
