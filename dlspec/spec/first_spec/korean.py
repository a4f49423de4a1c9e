"""Comments of a first spec in Korean."""

KOREAN = {
    "# A first spec for {data}: {about}{columns}.": "# {data}의 첫 명세입니다. {about}{columns}.",
    "# Every line may be changed; `dlspec validate` says at once what is wrong, `dlspec layers` what there is.":
        "# 어느 줄이든 바꿀 수 있습니다. `dlspec validate`는 잘못된 곳을 바로 알려 주고, `dlspec layers`는 쓸 수 "
        "있는 층을 보여 줍니다.",
    "about {rows} rows; ": "약 {rows}행, ",
    "{rows} rows; ": "{rows}행, ",
    "1 row; ": "1행, ",
    "{count} labels are to be predicted": "레이블 {count}개를 예측합니다",
    "`{target}` ({what}) is to be predicted": "`{target}`({what})을(를) 예측합니다",
    "{count} classes": "클래스 {count}개",
    "a number": "수",
    "the same number, the same result": "같은 수를 쓰면 같은 결과가 나옵니다",
    "from the data up; `dlspec plan` shows the shapes": "데이터에서 위로; `dlspec plan`이 모양을 보여 줍니다",
    "on the test part, beside the simplest guesses": "시험 부분에서, 가장 단순한 추측과 나란히 잽니다",
    "built in": "내장 데이터",
    "a row is a sample": "한 행이 표본 하나",
    "a row is a timestep, oldest first": "한 행이 한 시점, 오래된 것부터",
    "a sample in each file": "파일 하나가 표본 하나",
    "a sample in each row": "한 행이 표본 하나",
    "keeps the stronger of two neighbours": "이웃한 둘 가운데 센 것을 남깁니다",
    "each value has a series of its own; no window has two of them":
        "값마다 따로 된 시계열이며, 창은 둘에 걸치지 않습니다",
    "or {others}": "또는 {others}",
    "left out: {names}": "뺀 열: {names}",
    "{name} ({why})": "{name} ({why})",
    "what the network sees": "신경망이 보는 열",
    "counts the rows": "행 번호",
    "an id": "식별자",
    "{target} says on which side of a limit it lies": "{target}은(는) 이 값이 기준보다 큰지 작은지를 뜻함",
    "says the same as {target}": "{target}와(과) 같은 내용",
    "classes": "클래스",
    "labels": "레이블",
    "tags": "태그",
    "times": "시각",
    "text": "글",
    "numbers": "수",
    "nested values": "중첩된 값",
    "text among numbers": "수 가운데 글이 있음",
    "has no values": "값이 없음",
    "lacks {count:,} values": "값 {count:,}개가 빠짐",
    "which of the most frequent words stand in it; `length: {length}` reads them in their order, for `embedding`":
        "자주 나오는 낱말이 들어 있는지를 봅니다. `length: {length}`는 `embedding`을 위해 차례대로 읽습니다",
    "{count} classes written as numbers; `{target}` alone takes them for a quantity":
        "수로 적힌 클래스 {count}개; `{target}`만 쓰면 양으로 봅니다",
    "stands for no value": "값이 없다는 뜻",
    "their ranges are far apart: each has its own scale": "범위가 크게 달라 저마다 따로 바꿉니다",
    "rows with the same time become one": "같은 시각의 행을 하나로 합칩니다",
    "{lacking} are missing; {done}": "빠진 값: {lacking}; {done}",
    "{count} of {name}": "{name} {count}개",
    "{named} and {more} more columns": "{named} 외 {more}개 열",
    "the value before stands in, which is never predicted": "앞의 값으로 채우며, 채운 값은 예측하지 않습니다",
    "rows are left out": "그 행을 뺍니다",
    "the median stands in; a missing word is one of its own": "중앙값으로 채우며, 빠진 낱말은 따로 하나로 봅니다",
    "timesteps that the network sees, and how many ahead it predicts":
        "신경망이 보는 시점 수와, 몇 시점 뒤를 예측하는지",
    "timesteps that the network sees; it tells the last": "신경망이 보는 시점 수; 마지막 시점을 맞힙니다",
    "level | difference | return: what the network puts out": "level | difference | return: 신경망이 내놓는 것",
    "standard | min_max | none; fitted on the training part only":
        "standard | min_max | none; 훈련 부분에만 맞춥니다",
    "of the training part; the last {rows:,} are the test part":
        "훈련 부분에서 떼어 내며, 마지막 {rows:,}개가 시험 부분입니다",
    "few rows: it is trained {folds} times, each time tested on another part of them":
        "행이 적으므로 {folds}번 훈련하고, 매번 다른 부분으로 시험합니다",
    "the rest is trained on; in order of time": "나머지로 훈련합니다. 시간 순서대로 나눕니다",
    "the rest is trained on; at random, by the seed": "나머지로 훈련합니다. seed에 따라 무작위로 나눕니다",
    "reads the window from the oldest timestep to the newest": "창을 오래된 시점부터 차례로 읽습니다",
    "sets a fifth of the values to zero while training": "훈련하는 동안 값의 5분의 1을 0으로 둡니다",
    "a picture of the sound": "소리의 그림",
    "an array, such as a picture, has an input of its own": "그림 같은 배열은 자기만의 입력을 갖습니다",
    "looks for small patterns everywhere": "어디에서나 작은 무늬를 찾습니다",
    "keeps the strongest of four neighbours": "이웃한 넷 가운데 가장 센 것을 남깁니다",
    "patterns of patterns": "무늬의 무늬",
    "{shape} becomes one row of numbers": "{shape}을(를) 수 한 줄로 폅니다",
    "lines that are drawn, and bent": "선을 긋고, 굽힙니다",
    "what is bent, and the columns themselves: a line may do":
        "굽힌 것과 원래 열을 함께 봅니다: 직선으로 될 수도 있습니다",
    "as many units, and the activation, that the target needs": "목표에 맞는 유닛 수와 활성화 함수",
    "Pretraining, layer by layer; remove the `# ` to use it:": "층별 사전 훈련; 쓰려면 `# `를 지우세요:",
    "each layer first learns to give back its own input, from the lowest up":
        "맨 아래부터, 층마다 먼저 자기 입력을 되돌려 주는 법을 배웁니다",
    "or denoising_autoencoder, rbm; `dlspec layers autoencoder` tells more":
        "또는 denoising_autoencoder, rbm; `dlspec layers autoencoder`에 설명이 있습니다",
    "the size of a step; three times less or more is worth a try": "한 걸음의 크기; 세 배 줄이거나 늘려 볼 만합니다",
    "the size of a step, and how much weights are pulled to zero, which few rows need":
        "한 걸음의 크기와, 가중치를 0으로 당기는 정도(행이 적을 때 필요합니다)",
    "how often it goes through the data, at most": "데이터를 도는 최대 횟수",
    "samples between two steps": "한 걸음마다 보는 표본 수",
    "ends when the validation loss no longer falls for so many epochs":
        "검증 손실이 이만큼의 에포크 동안 줄지 않으면 끝냅니다",
    "`{word}` is {share:.0%} of the rows; this makes each class count as much":
        "`{word}`은(는) 행의 {share:.0%}입니다. 이렇게 하면 클래스마다 같은 비중이 됩니다",
    "always the mean, and a linear model": "언제나 평균, 그리고 선형 모형",
    "always the most frequent class, and a linear model": "언제나 가장 흔한 클래스, 그리고 선형 모형",
    "always the most frequent class, and a linear model of the window":
        "언제나 가장 흔한 클래스, 그리고 창의 선형 모형",
    "the next value is the last one, and a linear model of the window":
        "다음 값은 마지막 값과 같음, 그리고 창의 선형 모형",
    "the first line holds values, and no names": "첫 줄은 이름이 아니라 값입니다",
    "not UTF-8, but {name}": "UTF-8이 아니라 {name}입니다",
    "so that {value} in {column} is {read}": "그래서 {column}의 {value}은(는) {read}입니다",
}  # fmt: skip
"""Comment in English -> in Korean."""
