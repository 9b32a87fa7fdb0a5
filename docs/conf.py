"""How the site is built: `python -m sphinx -n -W -b html docs docs/_build/html`.

The build needs no network, and the pages load nothing from other hosts.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

from dcvsessions import __version__

project = "dcvsessions"
author = "The dcvsessions developers"
project_copyright = author
version = release = __version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "docstrings",
    "error_tree",
    "notebooks",
    "public_names",
    "state_tables",
]
exclude_patterns = ["_build", "_ext", "**.ipynb_checkpoints"]
nitpicky = True
# Types of the standard library and of other packages, which have no pages here.
nitpick_ignore_regex = [
    (
        "py:.*",
        r"(asyncio|collections|contextlib|datetime|logging|os|pathlib|random|types|typing)\..*",
    ),
]
nitpick_ignore = [
    # aiobotocore's and rich's, imported for type checkers only.
    ("py:class", "AioConfig"),
    ("py:class", "AioSession"),
    ("py:class", "Console"),
    # The standard library's, imported for type checkers only.
    ("py:class", "datetime"),
    # Any value of JSON, in what the simulator recorded.
    ("py:class", "Json"),
]

html_theme = "furo"
html_title = "dcvsessions"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
html_theme_options = {
    "light_css_variables": {
        "color-brand-primary": "#0b5c8a",
        "color-brand-content": "#0b5c8a",
        "color-brand-visited": "#0b5c8a",
    },
    "dark_css_variables": {
        "color-brand-primary": "#6cc1ef",
        "color-brand-content": "#6cc1ef",
        "color-brand-visited": "#6cc1ef",
    },
}
pygments_style = "friendly"
pygments_dark_style = "github-dark"

# In docstrings, single backticks mark code. Where they name something public, they become a link.
default_role = "public"
add_module_names = False
maximum_signature_line_length = 88
autodoc_default_options = {"members": True, "member-order": "bysource"}
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_attr_annotations = True
napoleon_custom_sections = [("Keys", "Attributes")]

myst_enable_extensions = ["attrs_inline", "colon_fence", "deflist"]
myst_heading_anchors = 3
# A notebook that fails, fails the build.
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 120
nb_merge_streams = True
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
