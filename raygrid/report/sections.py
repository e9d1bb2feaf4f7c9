"""The sections of the page, in order: every sheet and every figure names the one that it belongs to."""

from typing import Literal

SectionName = Literal[
    "overview",
    "pair",
    "tables",
    "classes",
    "figures",
    "training",
    "statistics",
    "published",
    "failures",
    "cells",
    "provenance",
]

TITLES: dict[SectionName, str] = {
    "overview": "Overview",
    "pair": "Two methods",
    "tables": "Tables",
    "classes": "Classes",
    "figures": "Figures",
    "training": "Training and choices",
    "statistics": "Statistics",
    "published": "Against published results",
    "failures": "Failures",
    "cells": "Cells",
    "provenance": "Provenance",
}
"""In the order of the page; one without content is left out."""
