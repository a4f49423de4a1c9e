"""Korean.

A value is always followed by a noun of its own, so that no particle has to agree with how it is read.
"""

from __future__ import annotations

from collections.abc import Sequence

from dlspec.language.registry import Kind
from dlspec.views.prose import english
from dlspec.views.prose.korean_kinds import KINDS, OF_PRETRAINING

NO_LINE = "적지 않았으므로 기본값:"

GIVEN_BACK = "신경망은 본 것을 그대로 내놓아야 합니다."

FITTED = {
    "class_means": "클래스 평균 코드와의 거리에서 확률을 구하며, 가장 가까운 평균의 클래스가 가장 그럴듯합니다. "
    "가중치는 훈련한 뒤 훈련 부분의 클래스마다 평균 코드에서 셈합니다.",
    "distance": "쌍의 거리에서 확률을 구합니다. 가중치는 훈련한 뒤 검증 부분의 거리에 대한 로지스틱 회귀로 셈합니다.",
}

IN_FILES = {
    "data.split.validation": "{value} 안의 데이터는 훈련에 쓰지 않고 훈련을 지켜보는 데 씁니다.",
    "data.split.test": "{value} 안의 데이터는 마지막 시험에 남겨 두고, 아무것도 여기에 맞추지 않습니다.",
}

KEYS = {
    "dlspec": "이 명세는 언어의 {value} 판으로 적혀 있습니다.",
    "name": "실행 이름은 {value}이고, 결과는 `runs/{raw}/001`부터 비어 있는 다음 번호의 폴더에 남습니다.",
    "description": "내용: {raw}",
    "seed": "난수는 모두 시드 {value}에서 나오므로, 다시 실행해도 같은 결과를 얻습니다.",
    "data.dataset": "데이터는 내장 데이터 {value}: {what}",
    "data.table": "데이터는 {value} 안에 있고, 한 행이 한 표본입니다.",
    "data.series": "데이터는 {value} 안에 있고, 한 행이 한 시점입니다.",
    "data.images": "데이터는 그림입니다: {value}.",
    "data.pictures": "그림의 `{name}` 값은 {value}입니다.",
    "data.pictures.masks": "각 화소가 무엇인지는 {value} 안의 같은 이름의 그림이 말합니다.",
    "data.pictures.classes": "이 마스크의 값들의 이름은 {value}입니다.",
    "data.pictures.ignore": "값이 {value}인 화소는 세지 않습니다.",
    "data.text": "데이터는 {value} 안의 글입니다.",
    "data.audio": "데이터는 소리입니다: {value}.",
    "data.arrays": "데이터는 {value} 안의 배열입니다.",
    "data.encoding": "글자는 {value} 방식으로 저장되어 있습니다.",
    "data.delimiter": "한 행의 값들은 {value}(으)로 나뉩니다.",
    "data.decimal": "소수점은 {value}입니다.",
    "data.thousands": "천 단위는 {value}(으)로 나뉩니다.",
    "data.header": "파일에 이름 줄이 없으며, 열은 다음과 같습니다: {value}.",
    "data.na": "다음 단어는 빠진 값을 뜻합니다: {value}.",
    "data.time": "시간은 {value} 열에 있습니다.",
    "data.formatted_time": "시간은 {value} 열에 {format} 형식으로 적혀 있습니다.",
    "data.group": "여러 시계열은 {value} 열로 구분하고, 표본은 서로 다른 시계열에 걸치지 않습니다.",
    "data.weight": "표본의 무게는 {value} 열에 있으며, 손실, 지표, 기준 모델, 판정에 모두 쓰입니다.",
    "data.target": "{value} 열을 예측합니다.",
    "data.targets": "{value} 열을 예측합니다.",
    "data.sequence": "{value} 텍스트를 {items} 단위로 하나씩 써 나갑니다. "
    "이미 쓴 것은 `{fed}` 입력으로 네트워크에 주어집니다.",
    "data.read": "{value} 텍스트를 {items} 단위로 읽어 냅니다. 네트워크는 시점마다 그중 하나나 공백(blank)을 내놓으며, "
    "각각이 어디에 있는지는 알려 주지 않습니다.",
    "data.read.beam": "텍스트는 가장 그럴듯한 앞부분 {beam}개를 남겨 두는 접두사 빔 탐색으로 읽습니다.",
    "data.read.best_path": "텍스트는 시점마다 가장 그럴듯한 것을 골라 읽습니다.",
    "data.next_token": "{value} 텍스트에서 토큰마다 그다음에 올 토큰을 예측합니다.",
    "data.tagged_words": "{value} 열에 있는 태그를 낱말마다 하나씩 예측합니다.",
    "data.typed_target": "{value} 열을 {kind} 유형으로 보고 예측합니다.",
    "data.features": "신경망은 {value} 열을 봅니다.",
    "data.feature": "`{name}` 열은 {value} 형식으로 봅니다.",
    "data.window.length": "표본 하나는 이어진 시점 {value}개입니다.",
    "data.window.steps": "이어진 시점 {value}개를 예측합니다.",
    "data.window.now": "신경망이 본 마지막 시점의 값을 예측합니다.",
    "data.window.target": "창의 마지막 시점만이 아니라 시점마다 예측합니다.",
    "data.window.horizon": "신경망이 본 마지막 시점에서 {value}시점 뒤를 예측합니다.",
    "data.window.stride": "훈련 표본은 {value}시점마다 하나씩 시작합니다.",
    "data.window.gap": "표본은 시간의 틈에 걸치지 않습니다. 평소 간격의 몇 배를 넘어야 틈인지: {value}.",
    "data.predict": {
        "level": "신경망은 값 그대로를 내놓습니다.",
        "difference": "신경망은 값이 얼마나 변하는지를 내놓습니다.",
        "return": "신경망은 값이 어떤 비율로 변하는지를 내놓습니다.",
    },
    "data.scale": {
        "standard": "수는 훈련 부분에서 잰 평균이 0, 표준편차가 1이 되도록 바꿉니다.",
        "min_max": "수는 훈련 부분에서 잰 범위가 0과 1 사이가 되도록 바꿉니다.",
        "robust": "수는 훈련 부분에서 잰 중앙값이 0, 사분위수 사이의 거리가 1이 되도록 바꿉니다.",
        "none": "수는 있는 그대로 씁니다.",
    },
    "data.scale_by": {"channel": "채널마다 따로 바꿉니다."},
    "data.sheet": "자료는 시트 {value}에 있습니다.",
    "data.missing": "빠진 값은 {value}(으)로 다룹니다.",
    "data.duplicates": "같은 시각의 행은 {value}(으)로 다룹니다.",
    "data.resample": "시계열을 고른 간격으로 바꿉니다: {value}.",
    "data.window.every": "신경망은 시점 {value}개마다 하나씩 봅니다.",
    "data.split.validation": "데이터의 {percent} 몫은 훈련에 쓰지 않고 훈련을 지켜보는 데 씁니다.",
    "data.split.test": "데이터의 {percent} 몫은 마지막 시험에 남겨 두고, 아무것도 여기에 맞추지 않습니다.",
    "data.split.by": {
        "time": "부분들은 시간 순서로 나뉩니다.",
        "random": "부분들은 무작위로 뽑힙니다.",
        "stratified": "부분들은 클래스의 비율이 같도록 무작위로 뽑힙니다.",
        "order": "부분들은 행의 순서대로 나뉩니다.",
    },
    "data.split.group": "{value} 열의 값이 같은 행은 모두 한 부분에 들어갑니다.",
    "data.split.column": "각 행이 어느 부분인지는 {value} 열에 적혀 있습니다.",
    "data.split.folds": "신경망을 {value}번 훈련하고, 매번 데이터의 다른 부분으로 시험합니다.",
    "data.split.walk_forward.folds": "신경망을 {value}번 훈련하고, 매번 더 나중 부분으로 시험합니다.",
    "data.unlabeled.dataset": "사전 훈련은 내장 데이터 {value} 표본도 봅니다: {what}",
    "data.unlabeled.table": "사전 훈련은 {value}의 표본도 봅니다.",
    "data.unlabeled.series": "사전 훈련은 {value}의 시계열도 봅니다.",
    "data.unlabeled.images": "사전 훈련은 그림 {value} 또한 봅니다.",
    "data.unlabeled.text": "사전 훈련은 {value} 안의 글도 봅니다.",
    "data.unlabeled.audio": "사전 훈련은 소리 {value} 또한 봅니다.",
    "data.unlabeled.arrays": "사전 훈련은 {value} 안의 배열도 봅니다.",
    "data.labels": "정답은 {value} 만큼만 쓰고, 나머지 표본은 정답이 없는 것으로 봅니다.",
    "data.limit": "훈련 표본은 최대 {value}개만 씁니다.",
    "data.cache": {
        "auto": "표본은 너무 많지 않으면 메모리에 둡니다.",
        "memory": "표본을 모두 메모리에 둡니다.",
        "none": "표본은 필요할 때마다 읽으므로 메모리를 차지하지 않습니다.",
    },
    "variables": "`${name}` 자리마다 들어가는 값: {value}.",
    "blocks": "블록 `{name}` 안의 층은 여기에서 설명하고, 모델에서 그 이름이 나오는 자리에 놓입니다.",
    "model.input": "입력 `{name}` 쪽으로 {value} 열이 들어갑니다.",
    "model.output": "출력 `{name}` 쪽에서 {value} 열을 예측합니다.",
    "model.output.loss": "출력 `{name}` 손실은 `{loss}`이며, 모든 출력의 합에서 {weight}배로 셉니다.",
    "model.output.class_weight": "`{name}` 손실에서 클래스의 무게는 `{value}` 입니다.",
    "model.output.quantiles": "수마다 분위수 {value} 값을 냅니다. 참값은 이 비율만큼 그 아래에 놓여야 합니다.",
    "model.output.mixture": "수마다 정규 분포 {value}개를 섞은 분포의 가중치, 평균, 표준편차를 냅니다.",
    "model.repeat": "{times}번 쌓고, 가중치는 매번 따로 갖습니다: {layers}.",
    "model.skip": "들어가는 값을 나오는 값에 더하는 층: {layers}.",
    "model.branches": "{count}갈래의 층들은 같은 입력을 보고, {merge} 층에서 다시 모입니다: {layers}.",
    "pretrain.method": "층들을 맨 아래부터 하나씩 사전 훈련합니다. {value}: {what}",
    "pretrain.entry": "사전 훈련 {number}: 층들을 맨 아래부터 하나씩 사전 훈련합니다. {value}: {what}",
    "pretrain.network.method": "출력 아래의 모든 층을 함께 사전 훈련합니다. {value}: {what}",
    "pretrain.network.entry": "사전 훈련 {number}: 출력 아래의 모든 층을 함께 훈련합니다. {value}: {what}",
    "pretrain.share": "표본마다 {raw:.0%} 몫을 가립니다.",
    "pretrain.patch": "조각의 한 변은 {value}이고, 시계열에서는 {value} 시점씩 가립니다.",
    "pretrain.layers": "사전 훈련할 층은 {value} 입니다.",
    "pretrain.epochs": "층마다 {value} 에폭 동안 사전 훈련합니다.",
    "pretrain.batch_size": "사전 훈련은 한 번에 표본 {value}개를 봅니다.",
    "pretrain.optimizer": "사전 훈련에서 가중치를 바꾸는 방법은 {value}: {what}",
    "pretrain.then": {
        "fine_tune": "그다음 신경망 전체를 훈련합니다.",
        "freeze": "그다음 사전 훈련한 층은 그대로 두고 나머지를 훈련합니다.",
        "unroll": "그다음 층들과 그 거울상을 입력을 복원하는 하나의 신경망으로 훈련합니다.",
    },
    "pretrain.thaw_after": "훈련이 {value} 에폭 지나면 얼려 둔 층도 배웁니다.",
    "pretrain.from": "층들은 실행 {value} 안의 같은 이름을 가진 층의 가중치에서 시작합니다.",
    "pretrain.per_layer": "층마다 따로 둔 설정: {value}.",
    "pretrain.early_stopping.monitor": "단계의 조기 종료는 {value} 값을 지켜봅니다.",
    "pretrain.early_stopping.patience": "{value} 에폭 동안 나아지지 않으면 단계를 일찍 끝냅니다.",
    "pretrain.early_stopping.min_delta": "단계에서 {value} 넘게 나아져야 나아진 것으로 봅니다.",
    "pretrain.early_stopping.restore_best_weights": {
        True: "단계가 끝나면 가장 좋았던 가중치로 돌아갑니다.",
        False: "단계가 끝나면 더 좋은 때가 있었더라도 마지막 가중치를 씁니다.",
    },
    "pretrain.early_stopping.start_from_epoch": "{value} 에폭 전에는 단계를 끝내지 않습니다.",
    "pretrain.loss": "복원이 얼마나 어긋났는지는 {value} 값으로 잽니다.",
    "pretrain.decoder_activation": "디코더의 마지막 활성화 함수는 {value} 입니다.",
    "pretrain.penalty": {
        "kl": "유닛의 평균 활성값이 목표에서 벗어나면 코드가 값을 치릅니다.",
        "l1": "코드는 활성값의 크기만큼 값을 치릅니다.",
    },
    "pretrain.sparsity_target": "유닛의 평균 활성값의 목표는 {value} 입니다.",
    "pretrain.sparsity_weight": "코드가 치르는 값에는 {value} 무게를 둡니다.",
    "pretrain.contraction": "코드가 입력을 따라 변하는 정도에는 {value} 무게를 둡니다.",
    "pretrain.visible": {
        "bernoulli": "데이터의 값은 유닛이 켜질 확률로 봅니다.",
        "gaussian": "데이터의 값은 정규분포를 따르는 수로 봅니다.",
    },
    "pretrain.gibbs_steps": "대조 발산은 깁스 표집을 {value}걸음 합니다.",
    "pretrain.persistent": {
        True: "깁스 표집의 사슬은 배치에서 배치로 이어집니다.",
        False: "깁스 표집의 사슬은 매번 데이터에서 시작합니다.",
    },
    "pretrain.momentum": "사전 훈련에서 지난 걸음을 다시 쓰는 몫은 {value} 입니다.",
    "pretrain.weight_decay": "사전 훈련에서 가중치는 학습률에 {value} 값을 곱한 만큼 줄어듭니다.",
    "pretrain.tied_weights": {
        True: "디코더는 그 층의 가중치를 전치하여 함께 씁니다.",
        False: "디코더는 자기 가중치를 따로 갖습니다.",
    },
    "pretrain.corruption": "사전 훈련에서 층이 보는 입력을 미리 망가뜨립니다. {value}: {what}",
    "train.loss": "훈련은 다음 손실을 줄입니다. {value}: {what}",
    "train.optimizer": "가중치를 바꾸는 방법은 {value}: {what}",
    "train.schedule": "학습률은 다음과 같이 변합니다. {value}: {what}",
    "train.gradient_clipping.norm": "가중치 행렬마다 기울기의 길이를 최대 {value} 값으로 줄입니다.",
    "train.gradient_clipping.value": "기울기의 각 값을 {value} 값에서 자릅니다.",
    "train.gradient_clipping.global_norm": "모든 기울기를 합한 길이를 최대 {value} 값으로 줄입니다.",
    "train.epochs": "훈련은 데이터를 {value}번 되풀이해 봅니다.",
    "train.batch_size": "표본 {value}개를 볼 때마다 가중치가 바뀝니다.",
    "train.thaw_after": "{value} 에폭이 지나면 남이 훈련한 네트워크에서 얼려 둔 층도 배웁니다.",
    "train.class_weight": "손실에서 클래스의 무게는 {value} 입니다.",
    "train.early_stopping.monitor": "조기 종료는 {value} 값을 지켜봅니다.",
    "train.early_stopping.patience": "{value} 에폭 동안 나아지지 않으면 훈련을 일찍 끝냅니다.",
    "train.early_stopping.min_delta": "{value} 값보다 많이 나아져야 나아진 것으로 봅니다.",
    "train.early_stopping.mode": {
        "auto": "작을수록 좋은지 클수록 좋은지는 지켜보는 값에 따릅니다.",
        "min": "작을수록 좋습니다.",
        "max": "클수록 좋습니다.",
    },
    "train.early_stopping.baseline": "{value} 값을 넘지 못하면 훈련을 일찍 끝냅니다.",
    "train.early_stopping.restore_best_weights": {
        True: "마지막에는 가장 좋았던 가중치로 돌아갑니다.",
        False: "더 좋은 때가 있었더라도 마지막 가중치를 씁니다.",
    },
    "train.early_stopping.start_from_epoch": "{value} 에폭 전에는 훈련을 끝내지 않습니다.",
    "train.callbacks": "훈련과 함께 {value} 콜백이 돕니다.",
    "train.teacher.from": "정답과 함께 실행 {value} 신경망의 답도 배웁니다.",
    "train.teacher.temperature": "교사와 비교하기 전에 두 로짓을 {value} 값으로 나눕니다.",
    "train.teacher.share": "손실에서 교사의 몫은 {value} 입니다.",
    "train.checkpoint_every": "{value}마다 훈련을 이어 가는 데 필요한 모든 것을 저장합니다.",
    "evaluate.metrics": "결과는 {value} 지표로 잽니다.",
    "evaluate.baselines": "결과를 단순한 추측 {value} 옆에 나란히 놓습니다.",
    "evaluate.require": "결과가 이에 미치지 못하면 실행은 별도의 종료 코드로 끝납니다: {value}.",
    "evaluate.compare.without_pretraining.seeds": "시드 {value}개마다 사전 훈련을 하거나 하지 않고 훈련합니다.",
    "runtime.device": {
        "auto": "GPU가 있으면 GPU에서 실행합니다.",
        "cpu": "CPU에서 실행합니다.",
        "gpu": "GPU에서 실행하고, GPU가 없으면 실행하지 않습니다.",
    },
    "runtime.deterministic": {
        True: "마지막 비트까지 같은 결과를 내고, 시간이 더 걸립니다.",
        False: "GPU에서는 마지막 자릿수가 다를 수 있습니다.",
    },
    "runtime.xla": {
        "auto": "시간이 절약되는 곳에서는 훈련을 XLA로 컴파일합니다.",
        "on": "훈련을 XLA로 컴파일합니다.",
        "off": "훈련을 XLA로 컴파일하지 않습니다.",
    },
    "runtime.precision": {
        "float32": "수는 32비트입니다.",
        "mixed_bfloat16": "층은 16비트(bfloat16)로 계산하고 가중치는 32비트로 둡니다.",
        "mixed_float16": "층은 16비트(float16)로 계산하고 손실의 크기를 조절하며, 가중치는 32비트로 둡니다.",
    },
    "runtime.distribute.strategy": {
        "mirrored": "장치마다 신경망의 사본이 있고, 각 배치를 나누어 맡습니다.",
    },
    "runtime.distribute.devices": "장치 {value}개에서 실행합니다.",
    "runtime.track": "실행 과정을 {value}에 기록합니다.",
    "budget.parameters": "신경망의 매개변수는 최대 {value}개입니다.",
    "budget.flops": "표본 하나의 부동소수점 연산은 최대 {value}번입니다.",
    "budget.size": "저장된 가중치의 크기는 최대 {value} 입니다.",
    "budget.memory": "훈련에 드는 메모리는 최대 {value} 입니다.",
    "budget.latency": "내보낸 모델이 표본 하나를 계산하는 시간은 최대 {value} 입니다.",
}


ITEMS = {"words": "단어", "characters": "글자", "items": "항목"}
"""What a text is written in."""


def describe(kind: Kind) -> str:
    """What it is; in English where there is no Korean for it."""
    known = OF_PRETRAINING if type(kind).__module__.startswith("dlspec.pretraining.") else KINDS
    return known.get(kind.type_name) or english.describe(kind)


def samples(count: int) -> str:
    """So many of them."""
    return f"표본 {count:,}개"


def listing(items: Sequence[str]) -> str:
    return ", ".join(items)


def layer(
    *,
    name: str,
    type_name: str,
    what: str,
    settings: Sequence[str],
    sources: Sequence[str],
    state: str | None,
    before: Sequence[str],
    after: str,
    parameters: int,
    shares: str | None,
) -> str:
    """What a layer does, its settings, and the sizes of what goes in and comes out."""
    sentences = [f"`{name}`: {what}"]
    if shares:
        sentences.append(f"`{shares}` 층을 같은 가중치로 한 번 더 씁니다.")
    if sources:
        sentences.append(f"입력은 {listing(sources)} 입니다.")
    if state:
        sentences.append(f"`{state}` 층의 마지막 상태에서 시작합니다.")
    if settings:
        sentences.append(f"설정: {listing(settings)}.")
    learnt = f" 매개변수는 {parameters:,}개입니다." if parameters else ""
    sizes = (
        f"크기는 {after} 그대로입니다." if list(before) == [after] else f"크기는 {listing(before)} → {after} 입니다."
    )
    return " ".join(sentences) + f" {sizes}{learnt}"
