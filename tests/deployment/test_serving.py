"""A server gives what the run predicts, and answers every mistake with the row, the column and the cure."""

import base64
import io
import json
import math
import wave

import numpy as np
import pandas as pd
import pytest

from tests.deployment.servers import serving

NAMES = ["table", "sequence", "counted", "labels", "numbers", "series", "given_back", "pictures"]
ROW = {
    "age": 41.5, "rooms": 3, "ward": "north", "town": "town 1", "garden": "yes", "sold": "2020-05-04",
    "said": "the old dog's",
}  # fmt: skip


def shown(file):
    return json.loads(file.with_name(f"{file.name}.rows.json").read_text(encoding="utf-8"))


def numbers(value):
    """All numbers in what was predicted, in order."""
    if isinstance(value, dict):
        return [number for each in value.values() for number in numbers(each)]
    if isinstance(value, list):
        return [number for each in value for number in numbers(each)]
    return [value] if isinstance(value, int | float) else []


def words(value):
    if isinstance(value, dict):
        return {key: words(each) for key, each in value.items()}
    return value if isinstance(value, str) else None


def same(found, expected):
    assert [words(each) for each in found] == [words(each) for each in expected]
    assert numbers(found) == pytest.approx(numbers(expected), rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_every_network_gives_what_its_export_did(server, exported, name):
    rows = shown(exported(name))
    answer = server(name).predict({"rows": rows["rows"]})
    assert answer.status_code == 200, answer.text
    same(answer.json()["predictions"], rows["predictions"])
    alone = [server(name).predict(row).json()["predictions"][0] for row in rows["rows"][:2]]
    same(alone, rows["predictions"][:2])


@pytest.mark.parametrize("name", ["table", "counted", "labels", "numbers"])
def test_rows_of_a_file_give_what_predict_writes(server, network, name):
    run = network(name)
    columns = list(run.data.raw_columns)
    frame = pd.read_csv(run.folder.parent / "table.csv")[columns].head(25)
    if "age" in frame:
        frame.loc[3, "age"] = None
    if "ward" in frame:
        frame.loc[4, "ward"] = "  north "
    expected = run.predict(frame)
    rows = [
        {key: None if isinstance(value, float) and math.isnan(value) else value for key, value in row.items()}
        for row in frame.to_dict("records")
    ]
    found = server(name).predict(rows).json()["predictions"]
    for column in expected:
        target, _, label = column.partition("=")
        values = [row["probabilities"][label] if label else row[target] for row in found]
        same(values, expected[column].tolist())
    turned = {column: [row[column] for row in rows] for column in columns}
    assert server(name).predict({"columns": turned}).json()["predictions"] == found


def test_a_window_is_taken_by_names_and_by_place(server, network, exported):
    (window,) = [row["raw"] for row in shown(exported("series"))["rows"][:1]]
    names = list(network("series").data.raw_columns)
    ways = [
        window,
        {"raw": window},
        [dict(zip(names, step, strict=True)) for step in window],
        {name: [step[i] for step in window] for i, name in enumerate(names)},
    ]
    answers = [server("series").predict({"rows": [way]}).json() for way in ways]
    assert answers[1:] == answers[:1] * 3
    assert "warnings" not in answers[0]
    named = dict(zip(names, window[0], strict=True))
    (missing,) = server("series").errors({"rows": [[{**named, "high": None}, *ways[2][1:]]]})
    assert "lacks a value" in missing["message"]
    (short,) = server("series").errors({"rows": [window[1:]]})
    assert short["row"] == 1
    assert "7 timesteps of `high`, `low`, `other`" in short["help"]
    (slip,) = server("series").errors({"rows": [[*ways[2][1:], {"hihg": 1, "low": 1, "other": 1}]]})[:1]
    assert (slip["column"], slip["help"]) == ("hihg", "did you mean `high`?")


def test_a_picture_is_taken_as_a_file(server, exported):
    from PIL import Image

    rows = shown(exported("pictures"))
    pixels = np.array(rows["rows"][0]["raw"], "uint8")[..., 0]
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    text = "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
    answer = server("pictures").predict({"rows": [{"x": text}]}).json()
    same(answer["predictions"], rows["predictions"][:1])
    Image.fromarray(np.kron(pixels, np.ones((2, 2), "uint8"))).save(file := io.BytesIO(), "PNG")
    scaled = server("pictures").predict([{"raw": base64.b64encode(file.getvalue()).decode()}]).json()
    assert scaled["warnings"][0]["message"] == "the picture of 16 x 16 pixels was scaled to 8 x 8"
    same(scaled["predictions"], rows["predictions"][:1])
    assert "cannot be read" in server("pictures").errors([{"x": base64.b64encode(b"GIF89a").decode()}])[0]["message"]
    assert "no file in base64" in server("pictures").errors([{"x": "hello!"}])[0]["message"]


def test_a_sound_is_read_as_training_reads_it():
    from dlspec.deployment.serving.media import read_media
    from dlspec.deployment.serving.problems import Refused

    samples = np.array([0, 16384, -16384, 32767, 8192], "<i2")
    file = io.BytesIO()
    with wave.open(file, "wb") as opened:
        opened.setnchannels(1)
        opened.setsampwidth(2)
        opened.setframerate(8000)
        opened.writeframes(samples.tobytes())
    text = base64.b64encode(file.getvalue()).decode()
    values, warnings = read_media(text, [7], "raw", 1)
    assert values.tolist() == [*(samples / 32768).tolist(), 0, 0]
    assert "8,000 samples a second" in warnings[0].message
    assert "filled with silence to 7" in warnings[1].message
    assert read_media(text, [3], "raw", 1)[0].tolist() == (samples / 32768).tolist()[:3]
    assert read_media(text, [5], "raw", 1, 8000)[1] == []
    with pytest.raises(Refused, match="8,000 samples a second, where 4,000 are needed"):
        read_media(text, [5], "raw", 1, 4000)


WRONG = {
    "age": ["41.5", "old", True, [], {}, 1e999, 10**400],
    "rooms": [None, "3", "many", False],
    "ward": [None, "", " ", [], {"a": 1}],
    "garden": [None, []],
    "sold": [None, "yesterday", "2020-13-01", True, [], 1e300],
    "said": [None, {}, "\ud800"],
}


def test_every_wrong_value_is_named_with_its_row_and_a_cure(server):
    for column, values in WRONG.items():
        for value in values:
            body = json.dumps({"rows": [ROW, {**ROW, column: value}]})
            answer = server("table").client.post("/predict", content=body)
            if value == 1e999:  # which JSON in Python writes as Infinity
                assert answer.status_code == 400
                continue
            assert answer.status_code == 422, (column, value, answer.text)
            (error,) = answer.json()["errors"]
            assert (error["row"], error["column"]) == (2, column), error
            assert error["help"], error


def test_all_mistakes_come_at_once(server):
    wrong = {**ROW, "age": "31", "garden": [], "gardn": 1, "sold": "soon"}
    del wrong["ward"]
    errors = server("table").errors([wrong, ROW, {**ROW, "rooms": None}])
    assert {(error["row"], error["column"]) for error in errors} == {
        (1, "age"), (1, "garden"), (1, "gardn"), (1, "sold"), (1, "ward"), (3, "rooms"),
    }  # fmt: skip
    by_column = {error["column"]: error for error in errors}
    assert by_column["age"]["help"] == "write 31 without quotes"
    assert "did you mean `garden`?" in by_column["gardn"]["help"]
    assert 'write "ward"' in by_column["ward"]["help"]


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (b"", 400, "empty"),
        (b"{", 400, "line 1, column 2"),
        (b'{"rows": [{"age": NaN}]}', 400, "NaN"),
        (b'{"rows": [{"age": -Infinity}]}', 400, "Infinity"),
        (b'\xff{"rows": []}', 400, "UTF-8"),
        (b'{"rows": ' + b"[" * 100_000, 400, "nested too deeply"),
        (b'{"rows": [{"age": 1' + b"0" * 5000 + b"}]}", 400, "too many digits"),
        (b"[" * 600 + b"]" * 600, 422, "columns are needed"),
        (b'{"rows": [{"age": 1, "age": 2}]}', 400, "stands twice"),
        (b'{"rows": []}', 422, "no rows"),
        (b"3", 422, "rows are needed"),
        (b'{"lines": []}', 422, "no rows"),
        (b'{"columns": {"age": 3}}', 422, "a list is needed"),
        (b'{"columns": {"age": [3], "ward": []}}', 422, "not equally long"),
        (b'{"rows": [3]}', 422, "columns are needed"),
    ],
)
def test_a_body_that_is_no_rows(server, body, status, said):
    answer = server("table").client.post("/predict", content=body)
    assert (answer.status_code, said in answer.text) == (status, True), answer.text


def test_what_lies_outside_of_training_is_warned_of(server):
    odd = {**ROW, "age": 300, "garden": "perhaps", "town": "town 9", "sold": "1999-01-01", "ward": "south"}
    answer = server("table").predict([ROW, odd]).json()
    assert {(each["row"], each["column"]) for each in answer["warnings"]} == {
        (2, "age"), (2, "garden"), (2, "town"), (2, "sold"),
    }  # fmt: skip
    assert "16 to 70.7" in answer["warnings"][0]["message"] or "16 to 70.7" in str(answer["warnings"])
    assert len(answer["predictions"]) == 2
    assert "warnings" not in server("table").predict([ROW]).json()


def test_dates_and_booleans_are_taken_as_one_writes_them(server):
    def of(**changed):
        return server("table").predict([{**ROW, **changed}]).json()["predictions"]

    expected = of(sold="2020-05-04T06:30:00")
    for same_time in ("2020-05-04 06:30", "2020-05-04T06:30Z", "2020-05-04T08:30+02:00", 1588573800, 1588573800.0):
        assert of(sold=same_time) == expected
    assert of(sold="2020-05-04T07:30:00") != expected
    assert of(garden=True) == of(garden="yes") == of(garden=1) != of(garden=False)


def test_many_mistakes_are_told_soon(server):
    wrong = {**ROW, **{f"column_{i}": i for i in range(50)}}
    errors = server("table").errors([wrong] * 4000)
    assert len(errors) == 101
    assert errors[-1] == {"message": "and 199,900 more"}
    twice = ",".join(f'"{i}": 1' for i in range(200_000)) + ', "7": 1'
    answer = server("table").client.post("/predict", content="{" + twice + "}")
    assert (answer.status_code, '\\"7\\" stands twice' in answer.text) == (400, True), answer.text


def test_a_single_number_is_a_row_of_its_own():
    from dlspec.deployment.serving.rows import RowReader

    column = {"column": "weight", "kind": "number", "min": 0.0, "max": 9.0}
    reader = RowReader({"inputs": [{"name": "raw", "dtype": "float32", "shape": [1], "columns": [column]}]}, 10)
    for body in (b'{"weight": 3}', b'[{"raw": 3}]', b"[3]", b"[[3]]", b'{"columns": {"weight": [3]}}'):
        assert [each.tolist() for each in reader.of_body(body).columns["raw"]] == [[3.0]], body
    assert "0 to 9" in reader.of_body(b"[10]").warnings[0].message


def test_paths_and_methods_that_are_not_there(server):
    client = server("table").client
    assert client.post("/predict", content=b"x", headers={"content-encoding": "gzip"}).status_code == 415
    assert client.get("/nothing").status_code == 404
    assert client.get("/nothing").json()["errors"][0]["help"]
    wrong = client.get("/predict")
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "POST")
    assert client.head("/v2/health/ready").status_code == 200


def test_another_site_cannot_ask(server):
    client = server("table").client
    assert client.get("/signature", headers={"host": "evil.example"}).status_code == 421
    assert client.get("/v2", headers={"host": f"localhost:{server('table').port}"}).status_code == 200
    for origin in ("http://evil.example", "null", "https://127.0.0.1"):
        assert server("table").predict([ROW], headers={"origin": origin}).status_code == 403
    assert server("table").predict([ROW], headers={"origin": server("table").address}).status_code == 200
    assert server("table").predict([ROW], headers={"sec-fetch-site": "cross-site"}).status_code == 403
    assert client.post("/reload").status_code == 403  # without a token


def test_metrics_count_what_was_asked(server):
    def counted():
        text = server("numbers").client.get("/metrics").text
        lines = [line.rpartition(" ") for line in text.splitlines() if not line.startswith("#")]
        return {name: float(value) for name, _, value in lines}

    before = counted()
    row = {"ward": "north", "garden": "yes"}
    for _ in range(3):
        server("numbers").predict([row, row])
    server("numbers").predict([{"ward": 1}])
    after = counted()

    def more(name):
        return after[name] - before.get(name, 0)

    assert more('dlspec_requests_total{path="/predict",status="200"}') == 3
    assert more('dlspec_requests_total{path="/predict",status="422"}') == 1
    assert more("dlspec_rows_total") == 6
    assert more("dlspec_batch_rows_count") == 3
    assert more('dlspec_batch_rows_bucket{le="2.0"}') == 3
    assert after["dlspec_waiting_rows"] == 0
    assert after['dlspec_request_seconds_bucket{le="+Inf"}'] == after["dlspec_request_seconds_count"]


@pytest.mark.parametrize("name", NAMES)
def test_openapi_is_valid_and_describes_what_is_taken(server, exported, name):
    from jsonschema import Draft202012Validator

    document = server(name).client.get("/openapi.json").json()
    assert document["openapi"] == "3.1.0"
    schemas = document["components"]["schemas"]
    rows = shown(exported(name))

    def valid(part, value):
        schema = {"$ref": f"#/components/schemas/{part}", "components": document["components"]}
        Draft202012Validator.check_schema(schemas[part])
        return Draft202012Validator(schema).is_valid(value)

    content = document["paths"]["/predict"]["post"]["requestBody"]["content"]["application/json"]
    assert valid("Request", content["example"])
    assert valid("Request", {"rows": rows["rows"]})
    assert not valid("Request", {"rows": []})
    answer = server(name).predict({"rows": rows["rows"]}).json()
    assert valid("Answer", answer)
    assert not valid("Prediction", {"nothing": 1})
    refused = server(name).predict({"rows": [{"nothing": 1}]})
    assert valid("Errors", refused.json())
    asked = {path for path in document["paths"] if "get" in document["paths"][path] and "{" not in path}
    assert all(server(name).client.get(path).status_code == 200 for path in asked)


def test_a_limit_is_answered_with_what_to_do(exported, tmp_path):
    options = ("--rows", "3", "--body", "1")
    with serving(exported("numbers"), *options, home=tmp_path) as server:
        row = {"ward": "north", "garden": "yes"}
        assert server.predict([row] * 3).status_code == 200
        many = server.predict([row] * 4)
        assert (many.status_code, many.json()["errors"][0]["help"]) == (413, "send them in parts of at most 3")
        large = server.client.post("/predict", content=b" " * (2**20 + 1))
        assert (large.status_code, "--body" in large.text) == (413, True)
        chunked = server.client.post("/predict", content=iter([b" " * 2**18] * 12))
        assert chunked.status_code == 413
        assert server.predict([row]).status_code == 200
        chunks = (json.dumps([row])[i : i + 5].encode() for i in range(0, 60, 5))
        assert server.client.post("/predict", content=chunks).status_code == 200


def test_a_token_is_asked_for_where_others_reach_the_server(exported, tmp_path):
    with serving(exported("numbers"), "--host", "0.0.0.0", home=tmp_path, DLSPEC_TOKEN="secret-token") as server:
        row, port = [{"ward": "north", "garden": "yes"}], server.port
        url = f"http://127.0.0.1:{port}"
        right = {"authorization": "Bearer secret-token"}
        assert server.client.post(f"{url}/predict", json=row, headers=right).status_code == 200
        for headers in ({}, {"authorization": "Bearer secret-tokem"}, {"authorization": "secret-token"}):
            for path in ("/predict", "/reload", "/v2/models/numbers/infer"):
                assert server.client.post(url + path, json=row, headers=headers).status_code == 401
            for path in ("/signature", "/metrics", "/openapi.json", "/v2"):
                assert server.client.get(url + path, headers=headers).status_code == 401
        for path in ("/", "/form.js", "/v2/health/live", "/v2/health/ready"):  # which say nothing of the network
            found = server.client.get(url + path)
            assert found.status_code == 200
            assert "ward" not in found.text
        assert server.client.post(f"{url}/reload", headers=right).json()["name"] == "numbers"
        assert server.stop() == 0
    with serving(exported("numbers"), "--host", "0.0.0.0", home=tmp_path, DLSPEC_TOKEN="") as server:
        token = server.printed.partition("needs the token ")[2].split()[0]
        url = f"http://127.0.0.1:{server.port}/v2"
        assert server.client.get(url).status_code == 401
        assert server.client.get(url, headers={"authorization": f"Bearer {token}"}).status_code == 200


def test_what_is_served_needs_neither_tensorflow_nor_pandas(exported, tmp_path):
    file = exported("table")
    with serving(file, home=tmp_path, PYTHONVERBOSE="1") as server:
        assert server.predict([ROW]).status_code == 200
        imported = {
            line.split()[1].strip("'").partition(".")[0]
            for line in server.printed.splitlines()
            if line.startswith("import ")
        }
    assert {"onnxruntime", "starlette", "uvicorn"} <= imported
    assert not {"tensorflow", "keras", "pandas", "tf2onnx", "h5py"} & imported
