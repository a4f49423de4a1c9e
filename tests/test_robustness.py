"""What a hostile or broken file can do to `dlspec validate`: nothing but a diagnostic, soon and in little memory."""

import resource
import subprocess
import sys

import pytest

MEGABYTE = 1 << 20
HEAD = "dlspec: 1\ndata: {dataset: iris}\n"
ALIASES = "a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n" + "".join(
    f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 12)
)


def validated(path, *arguments: str) -> subprocess.CompletedProcess:
    """The command, with 200 MB for itself and two seconds of the processor for what it does beyond starting."""

    def limit():
        resource.setrlimit(resource.RLIMIT_CPU, (10, 10))
        resource.setrlimit(resource.RLIMIT_DATA, (200 * MEGABYTE, 200 * MEGABYTE))

    return subprocess.run(
        [sys.executable, "-m", "dlspec", "validate", str(path), "--format", "json", *arguments],
        capture_output=True, text=True, preexec_fn=limit, cwd=path.parent, timeout=60,
    )  # fmt: skip


@pytest.mark.everyday(5)
@pytest.mark.parametrize(
    ("data", "code"),
    [
        (ALIASES, "expands-too-far"),
        (f"{HEAD}model: " + "[" * 100_000, "nested-too-deep"),
        (f"{HEAD}model: " + "{skip: [" * 100_000, "nested-too-deep"),
        (f"{HEAD}model:\n" + "- " * 100_000, "nested-too-deep"),
        (f"{HEAD}model: &a [*a]\n", "unknown-alias"),
        (f"{HEAD}model: [!!python/object/apply:os.system ['touch gone'], output]\n", "unknown-tag"),
        (f"{HEAD}model: [!<tag:yaml.org,2002:python/name:os.system> x, output]\n", "unknown-tag"),
        (f"{HEAD}name: a\0b\nmodel: [output]\n", "bad-character"),
        ("\0" * 1000, "bad-character"),
        (f"{HEAD}model: [output]\nextends: ../../../../etc/passwd\n", "outside-folder"),
        (f"{HEAD}model: [output]\nextends: /etc/passwd\n", "outside-folder"),
        (f"{HEAD}model: [output]\nextends: spec.yaml\n", "extends-cycle"),
        (f"{HEAD}variables: {{a: $b, b: $a}}\nmodel: [{{dense: $a}}, output]\n", "variable-cycle"),
        (f"{HEAD}variables: {{a: $(9 ** 9 ** 9 ** 9)}}\nmodel: [{{dense: $a}}, output]\n", "bad-arithmetic"),
        (f"{HEAD}blocks: {{b: [b, b]}}\nmodel: [b, output]\n", "recursive-block"),
        (f"{HEAD}model: [{{repeat: {{times: 1000000000, layers: [flatten]}}}}, output]\n", "expands-too-far"),
        (f"{HEAD}model: [{{dense: {'9' * 5000}}}, output]\n", "wrong-type"),
        (f"{HEAD}model:{' ' * 1_000_000}[output]\nfoo: 1\n", "unknown-key"),
        (f"{HEAD}model: [output]\nfoo: {'(' * 100_000}\n", "unknown-key"),
        (f"{HEAD}model: [output]\n" + "\n".join(f"k{i}: 1" for i in range(20_000)), "unknown-key"),
    ],
    ids=lambda value: value if "\n" not in value and len(value) < 40 else "",
)
def test_it_ends_in_a_diagnostic(tmp_path, data, code):
    path = tmp_path / "spec.yaml"
    path.write_text(data)
    done = validated(path)
    assert done.returncode == 1, done.stderr[-500:]
    assert f'"code": "{code}"' in done.stdout
    assert done.stderr == ""
    assert sorted(p.name for p in tmp_path.iterdir()) == ["spec.yaml"]


def test_a_file_of_fifty_megabytes_is_not_read(tmp_path):
    path = tmp_path / "spec.yaml"
    path.write_bytes(b"- flatten\n" * (5 * MEGABYTE))
    done = validated(path)
    assert done.returncode == 1
    assert '"file-too-large"' in done.stdout


@pytest.mark.parametrize("size", [1, 5_000_000])
def test_bytes_that_are_no_text_are_a_diagnostic(tmp_path, size):
    path = tmp_path / "spec.yaml"
    path.write_bytes(bytes(range(256)) * (size // 256 + 1))
    done = validated(path)
    assert done.returncode == 1
    assert '"not-utf-8"' in done.stdout


def test_a_link_does_not_lead_extends_out_of_the_folder(tmp_path):
    (tmp_path / "secret").write_text("password: 12345\n")
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs" / "base.yaml").symlink_to(tmp_path / "secret")
    path = tmp_path / "specs" / "spec.yaml"
    path.write_text(f"extends: base.yaml\n{HEAD}model: [output]\n")
    done = validated(path)
    assert done.returncode == 1
    assert "12345" not in done.stdout + done.stderr
