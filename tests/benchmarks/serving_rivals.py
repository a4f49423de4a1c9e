"""Servers that `serving.py` compares with: `python -m tests.benchmarks.serving_rivals KIND RUN PORT`.

`predict` calls Keras's `predict` for each request; `fastapi` is FastAPI with a checked row and one `tf.function`.
"""

from __future__ import annotations

import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np
import uvicorn

POOL = ThreadPoolExecutor(1)


def arrays(rows: list[dict]) -> dict:
    return {
        "admitted": np.array([[row["admitted"]] for row in rows], "float64"),
        "age": np.array([[np.nan if row["age"] is None else row["age"]] for row in rows], "float64"),
        "smoker": np.array([[row["smoker"]] for row in rows], object),
        "ward": np.array([[row["ward"]] for row in rows], object),
    }


def starlette_with_predict(model):
    import asyncio

    import tensorflow as tf
    from starlette.applications import Starlette
    from starlette.responses import JSONResponse
    from starlette.routing import Route

    def infer(rows):
        values = {name: tf.constant(each) for name, each in arrays(rows).items()}
        return model.predict(values, verbose=0)[:, 0].tolist()

    async def predict(request):
        rows = json.loads(await request.body())["rows"]
        return JSONResponse({"predictions": await asyncio.get_running_loop().run_in_executor(POOL, infer, rows)})

    return Starlette(routes=[Route("/predict", predict, methods=["POST"])])


def fastapi_with_tf_function(model):
    import asyncio

    import tensorflow as tf
    from fastapi import FastAPI
    from pydantic import BaseModel

    specs = {each.name: tf.TensorSpec((None, 1), each.dtype, each.name) for each in model.inputs}
    function = tf.function(lambda values: model(values, training=False), input_signature=[specs])

    def infer(rows):
        return function({name: tf.constant(each) for name, each in arrays(rows).items()}).numpy()[:, 0].tolist()

    app = FastAPI()

    async def predict(body):
        rows = [row.model_dump() for row in body.rows]
        found = await asyncio.get_running_loop().run_in_executor(POOL, infer, rows)
        return Out(predictions=found)

    class Row(BaseModel):
        admitted: float
        age: float | None
        smoker: str
        ward: str

    class Body(BaseModel):
        rows: list[Row]

    class Out(BaseModel):
        predictions: list[float]

    predict.__annotations__ = {"body": Body, "return": Out}
    app.post("/predict")(predict)
    return app


def main() -> None:
    kind, run, port = sys.argv[1:]
    import keras

    model = keras.models.load_model(f"{run}/model.keras")
    app = {"predict": starlette_with_predict, "fastapi": fastapi_with_tf_function}[kind](model)
    uvicorn.run(app, port=int(port), access_log=False, log_level="warning")


if __name__ == "__main__":
    main()
