"""From pages to text: what a template may print, and that nothing but manifests and templates decides the bytes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from generator.errors import UsageError
from generator.manifest.load import load
from generator.render import tree
from generator.render.head import is_ours, is_untouched, stamped
from generator.render.layout import Page
from generator.render.render import Renderer
from generator.resources import data

if TYPE_CHECKING:
    from tests.render.conftest import FleetFolder

EXAMPLE = Path(__file__).parents[2]


def rendered(folder: Path, template: str, **values: object) -> str:
    (folder / "x.tf.j2").write_text(template)
    page = Page("terraform/x.tf", "x.tf.j2", "clients/x.yaml", values)
    return Renderer([folder]).render([page])["terraform/x.tf"].partition("\n\n")[2]


class TestTemplates:
    @pytest.mark.parametrize(
        "template",
        [
            "{{ value }}",
            'name = "{{ value }}"',
            "{{ 'constant' }}",
            "{{ 1 }}",
            "{{ value | hcl ~ value }}",
            "{{ value | upper }}",
            "{{ value | hcl | upper }}",
            "{% set x %}{{ value }}{% endset %}{{ x }}",
            "{% for c in value %}{{ c }}{% endfor %}",
        ],
    )
    def test_one_that_prints_a_raw_value_is_refused(self, tmp_path: Path, template: str) -> None:
        with pytest.raises(UsageError, match="which no filter made HCL") as caught:
            rendered(tmp_path, template, value="raw")
        assert "x.tf.j2" in caught.value.message
        assert "clients/x.yaml" in caught.value.message

    def test_values_are_printed_through_filters(self, tmp_path: Path) -> None:
        template = "# {{ value | comment }}\nx {{ name | label }} {\n  {{ name | identifier }} = {{ value | hcl }}\n}\n"
        assert rendered(tmp_path, template, value='"${x}"', name="a") == (
            '# "$${x}"\nx "a" {\n  a = "\\"$${x}\\""\n}\n'
        )

    def test_the_keys_of_a_map_are_aligned(self, tmp_path: Path) -> None:
        template = "{% for key, value in values | aligned %}\n{{ key }} = {{ value | hcl }}\n{% endfor %}\n"
        assert rendered(tmp_path, template, values={"a": 1, "long": True}) == "a    = 1\nlong = true\n"

    @pytest.mark.parametrize(
        ("template", "says"),
        [
            ("{% if %}", "x.tf.j2:1: "),
            ("a\n{{ value | nosuch }}", "x.tf.j2:2: No filter named 'nosuch'"),
            ("{{ nosuch | hcl }}", "'nosuch' is undefined"),
            ("{{ value.nosuch | hcl }}", "has no attribute 'nosuch'"),
            ("{% include 'gone.j2' %}", "there is no template gone.j2"),
            ("{{ value | identifier }}", "not an HCL identifier"),
            ("{{ value | policy_path }}", "not a plain policy path"),
            ("{{ (1 / 0) | hcl }}", "division by zero"),
            ("{{ value() }}", "not callable"),
            ("{% include 'x.tf.j2' %}", "recursion"),
        ],
    )
    def test_one_that_cannot_be_rendered_is_named(self, tmp_path: Path, template: str, says: str) -> None:
        with pytest.raises(UsageError) as caught:
            rendered(tmp_path, template, value="a b")
        assert says in caught.value.message

    @pytest.mark.parametrize(
        "template",
        [
            "{{ cycler.__init__.__globals__ }}",
            "{{ value.__class__ | hcl }}",
            "{{ ([1] | map('string')).gi_frame.f_globals | hcl }}",
            "{{ '{0.__class__}'.format(value) | comment }}",
            "{{ model.parse_raw('', allow_pickle=true) | hcl }}",
            "{{ source.span('name') | hcl }}",
            "{{ values.clear() | hcl }}",
        ],
    )
    def test_one_of_the_fleets_own_reaches_nothing_but_its_values(
        self, tmp_path: Path, fleet: FleetFolder, template: str
    ) -> None:
        (tmp_path / "x.tf.j2").write_text(template)
        manifest = load(fleet.folder)[0].clients[0]
        values = {"value": "a", "values": {"a": 1}, "model": manifest.model, "source": manifest}
        page = Page("terraform/x.tf", "x.tf.j2", "clients/x.yaml", values)
        with pytest.raises(UsageError, match="what no template may"):
            Renderer([tmp_path, EXAMPLE / "templates"]).render([page])

    def test_one_that_is_not_utf_8_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "x.tf.j2").write_bytes(b"caf\xe9")
        with pytest.raises(UsageError, match=r"x\.tf\.j2"):
            Renderer([tmp_path]).render([Page("p", "x.tf.j2", "o", {})])

    def test_line_ends_of_a_template_do_not_reach_the_output(self, tmp_path: Path) -> None:
        (tmp_path / "x.tf.j2").write_bytes(b"\r\n\r\na = 1\r\nb = 2\r\n\r\n")
        text = Renderer([tmp_path]).render([Page("p", "x.tf.j2", "o", {})])["p"]
        assert text.endswith("\n\na = 1\nb = 2\n")
        assert "\r" not in text


class TestTheHead:
    def test_names_the_manifest_and_fits_the_body(self) -> None:
        text = stamped("a = 1\n", "clients/pay.yaml")
        assert "clients/pay.yaml" in text.partition("\n")[0]
        assert is_ours(text)
        assert is_untouched(text)

    @pytest.mark.parametrize(
        "change", [("a = 1", "a = 2"), ("a = 1\n", "a = 1\n\n"), ("a = 1\n", "a = 1"), ("a", " a")]
    )
    def test_tells_a_body_that_was_changed(self, change: tuple[str, str]) -> None:
        head, _, body = stamped("a = 1\n", "clients/pay.yaml").partition("\n\n")
        text = f"{head}\n\n{body.replace(*change)}"
        assert is_ours(text)
        assert not is_untouched(text)

    @pytest.mark.parametrize("text", ["", "a = 1\n", "# Generated by crosskeys from x: y\n\na = 1\n"])
    def test_is_what_makes_a_file_ours(self, text: str) -> None:
        assert not is_ours(text)
        assert not is_untouched(text)
        assert not is_ours(f"# mine\n{stamped('a = 1', 'x')}")

    def test_stays_one_line_whatever_the_folder_is_called(self) -> None:
        text = stamped("a = 1\n", "clients/two\nlines\u2028/pay.yaml")
        assert len(text.partition("\n\n")[0].splitlines()) == 2
        assert is_untouched(text)


SCRIPT = """
import sys
from pathlib import Path
from generator.manifest.fleet import resolve
from generator.manifest.load import load
from generator.render import tree
from generator.render.layout import layout
from generator.render.render import Renderer
from generator.resources import data
manifests, findings = load(Path(sys.argv[1]))
assert not findings, findings
pages = [page for root in layout(resolve(manifests)) for page in root.pages]
print(tree.digest(Renderer([data("templates")]).render(pages)))
"""


def digest(folder: Path, **environment: str) -> str:
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(folder)],
        env={"PATH": os.environ["PATH"], **environment},
        cwd=EXAMPLE,
        capture_output=True,
        text=True,
        check=True,
    )
    return run.stdout


@pytest.fixture(scope="module")
def expected() -> str:
    """The digest of the example fleet's tree."""
    return digest(EXAMPLE, PYTHONHASHSEED="0", LC_ALL="C.UTF-8")


class TestDeterminism:
    @pytest.mark.parametrize(
        "environment",
        [
            {"PYTHONHASHSEED": "1", "LC_ALL": "C.UTF-8"},
            {"PYTHONHASHSEED": "4242", "LC_ALL": "C.UTF-8", "TZ": "Asia/Tokyo"},
            {"PYTHONHASHSEED": "0", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        ],
        ids=["seed 1", "seed 4242", "locale C"],
    )
    def test_neither_hash_seed_nor_locale_nor_time_zone_decides_a_byte(
        self, expected: str, environment: dict[str, str]
    ) -> None:
        assert digest(EXAMPLE, **environment) == expected

    def test_neither_the_folder_nor_the_order_of_its_files_decides_a_byte(self, expected: str, tmp_path: Path) -> None:
        elsewhere = tmp_path / "some where" / "else"
        manifests = sorted((EXAMPLE / "clients").rglob("*.yaml"), reverse=True)
        for path in (*manifests, EXAMPLE / "crosskeys.yaml"):
            target = elsewhere / path.relative_to(EXAMPLE)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)
        assert digest(elsewhere, PYTHONHASHSEED="0", LC_ALL="C.UTF-8") == expected

    def test_the_expected_bytes_are_those_on_disk(self, expected: str) -> None:
        files = sorted((EXAMPLE / "terraform").rglob("*.tf"))
        texts = {path.relative_to(EXAMPLE).as_posix(): path.read_bytes().decode() for path in files}
        assert tree.digest(texts) == expected.strip()

    def test_a_changed_manifest_changes_that_clients_files_alone(self, fleet: FleetFolder) -> None:
        before = fleet.wanted()
        fleet.add("pay", more="description: Card payments\n")
        after = fleet.wanted()
        assert {path for path in before if before[path] != after[path]} == {
            "terraform/accounts/111111111111/aws/client-pay.tf",
            "terraform/accounts/111111111111/vault/client-pay.tf",
        }

    def test_a_new_client_of_a_known_account_is_new_files_alone(self, fleet: FleetFolder) -> None:
        before = fleet.wanted()
        fleet.add("new")
        after = fleet.wanted()
        assert {path: after[path] for path in before} == before
        assert after.keys() - before.keys() == {
            "terraform/accounts/111111111111/aws/client-new.tf",
            "terraform/accounts/111111111111/vault/client-new.tf",
        }


def test_the_packages_templates_are_all_used() -> None:
    folder = data("templates")
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*.j2")}
    package = Path(tree.__file__).parents[1]
    pages = ("render/layout.py", "report/kit/pages.py", "run/keepers.py")
    users = (*(package / page for page in pages), *folder.rglob("*.j2"))
    sources = "".join(path.read_text() for path in users)
    assert {name for name in found if f'"{name}"' not in sources} == set()
