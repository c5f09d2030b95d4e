"""Templates for fits by sample, region and systematic variation, with a stated policy for bins with Σw ≤ 0."""

from hepneg.templates.make_templates import make_templates
from hepneg.templates.template_result import BinNote, RegionTemplates, Template, Templates, VariedContents
from hepneg.templates.write_templates import write_templates

__all__ = [
    "BinNote",
    "RegionTemplates",
    "Template",
    "Templates",
    "VariedContents",
    "make_templates",
    "write_templates",
]
