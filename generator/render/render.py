"""From pages to the text of the rendered files. Pure but for reading the templates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jinja2
from jinja2.sandbox import ImmutableSandboxedEnvironment

from generator.errors import UsageError
from generator.render import hcl
from generator.render.head import stamped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from generator.render.layout import Page


class _Sandbox(ImmutableSandboxedEnvironment):
    """Lets templates call what Jinja2 and Python's own types bring, and nothing that a value can do."""

    def is_safe_callable(self, obj: Any) -> bool:
        """Tell whether a template may call something."""
        owner = getattr(obj, "__self__", obj)
        kind = owner if isinstance(owner, type) else type(owner)
        module = getattr(obj, "__module__", None) or kind.__module__
        return super().is_safe_callable(obj) and module.partition(".")[0] in {"builtins", "jinja2"}


class Renderer:
    """Renders pages with the templates of a fleet.

    Args:
        folders: Template folders; a template is taken from the first that has it, so a fleet's own come first. The last
            is the package's; templates of any other can reach nothing but the values that they are given.
    """

    def __init__(self, folders: Sequence[Path]) -> None:
        self._environment = environment(
            folders,
            _only_hcl,
            {
                "hcl": _literal,
                "identifier": hcl.identifier,
                "label": hcl.label,
                "comment": hcl.comment,
                "policy_path": hcl.policy_path,
                "aligned": _aligned,
            },
        )

    def render(self, pages: Iterable[Page]) -> dict[str, str]:
        """Return the text of each page by its path.

        Raises:
            UsageError: When a template is missing, is no Jinja2, or prints what is not HCL.
        """
        return {page.path: self._render(page) for page in pages}

    def _render(self, page: Page) -> str:
        body = filled(self._environment, page.template, page.values, page.origin)
        return stamped(body.strip("\n") + "\n", page.origin)


def environment(
    folders: Sequence[Path], finalize: Callable[[object], object], filters: Mapping[str, Callable[..., object]]
) -> jinja2.Environment:
    """Return where templates are rendered.

    Args:
        folders: Template folders, as a ``Renderer`` takes them.
        finalize: Called for every expression that a template prints; it refuses what nothing has escaped.
        filters: What makes values printable, by the name that templates call it.
    """
    # The package's templates are part of this program. A fleet's own come with a change that nobody may have read
    # yet, and could otherwise change what reads and proves their output.
    kind = _Sandbox if any(folder.is_dir() for folder in folders[:-1]) else jinja2.Environment
    made = kind(
        loader=jinja2.FileSystemLoader(folders),
        undefined=jinja2.StrictUndefined,
        finalize=finalize,
        autoescape=False,  # what is printed is no HTML; it is escaped by the filters and by nothing else
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,  # a run sees one state of the templates, and asks the disk once for each
    )
    made.filters |= filters
    return made


def filled(templates: jinja2.Environment, name: str, values: Mapping[str, object], about: str) -> str:
    """Return what a template makes of values.

    Args:
        templates: Where it is.
        name: The template's name.
        values: What it sees.
        about: What the values are about, for messages: a manifest's path.

    Raises:
        UsageError: When the template is missing, is no Jinja2, or prints what nothing has escaped.
    """
    try:
        return templates.get_template(name).render(values)
    except jinja2.TemplateSyntaxError as error:
        raise UsageError(f"{error.filename or error.name}:{error.lineno}: {error.message}") from error
    except jinja2.TemplateNotFound as error:
        raise UsageError(f"there is no template {error.name}", help="restore it below templates/") from error
    except jinja2.exceptions.SecurityError as error:
        message = f"the template {name} does with {about} what no template may: {error!s:.200}"
        raise UsageError(message, help="print values through filters; templates/ needs no more") from error
    except Exception as error:  # a template is a program: it can raise whatever it likes
        raise UsageError(f"the template {name} cannot render {about}: {error}") from error


def _literal(value: object, indent: int = 0) -> hcl.Hcl:
    if isinstance(value, jinja2.Undefined):
        str(value)  # raises an error that names what is undefined
    return hcl.literal(value, indent)


def _only_hcl(value: object) -> hcl.Hcl:
    # Jinja2 calls this for every expression that a template prints, never for the template's own text.
    if isinstance(value, hcl.Hcl):
        return value
    raise TypeError(f"a template printed {value!r}, which no filter made HCL")


def _aligned(values: Mapping[str, object]) -> list[tuple[hcl.Hcl, object]]:
    width = max(map(len, values), default=0)
    return [(hcl.Hcl(hcl.identifier(key).ljust(width)), value) for key, value in values.items()]
