"""Which column of some data is most likely meant to be predicted: by its name, its place, and what its values are like.

A name says most: `survived` and `price` are results, `age` and `region` are what results are explained by. Where names
say nothing the values do: a response has many values or two, the levels of a designed experiment occur equally often,
and what is to be predicted depends on the others.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dlspec.data.datasets import Column
from dlspec.spec.first_spec.looked import LEVELS, Dependence, dependence

if TYPE_CHECKING:
    from dlspec.spec.first_spec.looked import Looked

RESULTS = {
    10: "target label labels response outcome survived survival dependent y 정답 라벨 레이블 타깃 타겟 목표 "
    "목표값 종속변수 생존 생존여부",
    8: "class species price prices sale sales diagnosis churn churned exited attrition default defaulted "
    "approved sentiment spam fraud salary salaries wage wages 가격 매매가 거래금액 판매가 매출 매출액 "
    "판매량 판매금액 수요 수요량 이탈 이탈여부 합격여부 불량여부 진단 품종 종가 연봉 급여 임금 감정 스팸 "
    "부도 부도여부 사용량 발전량 전력량 소비량 수확량 거래가 월세 매매가격",
    6: "result results category quality rating ratings score scores grade close closing demand revenue "
    "profit yield strength mpg medv consumption vote voted winner deny denied disease infected dead died "
    "death deaths purchased clicked converted subscribed rent charges cost costs value accepted admitted "
    "fertility passed failed failure defect admit chd activity emotion lifespan 결과 등급 품질 점수 평점 "
    "성적 분류 종류 비용 구매 구매여부 합격 불량 사망 사망여부 승인 승인여부 강도 수익 이익 환자수 "
    "발생건수 대여량 승객수 방문자수 농도",
    4: "type rate reaction accident accidents crime crimes skips breaks errors counts cnt count amount gain "
    "loss losses employed unemployed employment case status output expenditure spending savings volume "
    "choice decision performance mortality usage 미세먼지 상태 건수 금액 총액 조회수",
}
"""How much a word in the name of a column speaks for it."""
EXPLAINING = {
    -8: "id ids uuid guid index idx no nr number rownames row unnamed subject patient person name surname "
    "firstname lastname ticket url email phone key 번호 순번 이름 성명 아이디 주소 전화번호 일련번호 코드",
    -5: "age sex gender year month day week weekday hour minute date datetime lat latitude lon lng long "
    "longitude zip postcode region country county state city province district street address site "
    "location block group fold batch treatment treat trt condition dose timestamp race ethnicity "
    "education educ marital rank plot panel stratum trend sample x z population season quarter 나이 연령 "
    "성별 연도 년도 월 일 요일 시간 날짜 일자 지역 시도 시군구 위도 경도 교육 결혼여부 그룹 계절 분기",
    -2: "code time height width length size weight temperature temp distance area depth duration experience "
    "color colour income dist speed occupation religion 키 몸무게 면적 거리 층 크기 길이 너비 직업 색상",
}
"""How much a word speaks against it."""
WORDS = {word: points for table in (RESULTS, EXPLAINING) for points, words in table.items() for word in words.split()}
CODES = (
    "class classes label labels species type category diagnosis activity cluster kind digit sentiment emotion "
    "라벨 레이블 분류 품종 종류 진단"
)
"""Whole numbers in a column of such a name stand for classes."""
IDENTITIES = "id ids uuid guid index idx rownames 번호 순번 일련번호"
"""Columns of such a name tell the rows apart."""
NEUTRAL = "target y outcome output response result 정답 결과 타깃 타겟"
"""Whole numbers in a column of such a name may stand for classes, if they are few and begin at 0 or 1."""
FEW_CODES = 10
LAST, FIRST, LAST_OF_UNNAMED = 1.0, 0.8, 0.3
"""What the place at the end, or at the beginning, of the columns speaks for a column."""
BY_VALUES = 1.5
"""How much the values speak for a column, beside its name."""
TOO_WELL = 0.98
"""Whatever is known that well from the other columns says what they say, and is hardly what they are to explain."""


@dataclass(frozen=True)
class Candidate:
    """A column that may be meant to be predicted.

    Args:
        why: what speaks for it, in words.
    """

    column: str
    points: float
    why: str


def likely_targets(columns: Sequence[Column], looked: Mapping[str, Looked], *, placed: bool = True) -> list[Candidate]:
    """The columns that may be predicted, the likeliest first.

    Args:
        columns: those that can be predicted, in their order.
        looked: the values of all columns, as far as they are numbers or words; empty: names and places alone tell.
        placed: whether the place of a column says something.
    """
    dependent = dependence(list(looked.values()))
    first, last = (FIRST, LAST) if any(_says_something(column.name) for column in columns) else (0.0, LAST_OF_UNNAMED)
    words = [name for name, each in looked.items() if not each.is_number and 2 <= len(each.counts) <= LEVELS]
    names = {column.name.lower() for column in columns}
    found = []
    for place, column in enumerate(columns):
        reasons: list[tuple[float, str]] = [(_of_name(column.name, names), "its name")]
        if placed and place == len(columns) - 1:
            reasons.append((last, "it is the last column"))
        elif placed and place == 0:
            reasons.append((first, "it is the first column"))
        if column.name in looked:
            of_values = _of_values(looked[column.name], dependent.get(column.name, Dependence()), words, len(looked))
            reasons += [(BY_VALUES * points, why) for points, why in of_values]
        elif column.classes:
            reasons.append((1.0, f"it has {len(column.classes)} classes"))
        why = ", ".join(why for points, why in reasons if points > 0.2 and why)
        found.append(Candidate(column.name, sum(points for points, _ in reasons), why or "nothing speaks against it"))
    return sorted(found, key=lambda each: -each.points)


def are_codes(name: str, looked: Looked) -> bool:
    """Whether the whole numbers of a target stand for classes: by its name, or as they begin at 0 or 1 without gaps."""
    count = len(looked.counts)
    if not looked.is_whole or not 3 <= count <= LEVELS or min(looked.counts.values()) < 3:
        return False
    words = _words(name)
    if words and words[-1] in CODES.split():
        return True
    codes = {int(number) for number in looked.numbers if number is not None}
    without_gaps = min(codes) in (0, 1) and max(codes) - min(codes) == count - 1
    return bool(words) and words[-1] in NEUTRAL.split() and count <= FEW_CODES and without_gaps


def is_identity(name: str) -> bool:
    """Whether a name says that a column tells the rows apart: `id`, `customer_id`, `PassengerId`."""
    words = _words(name)
    return bool(words) and words[-1] in (
        "id",
        "ids",
        "uuid",
        "guid",
        "index",
        "idx",
        "rownames",
        "번호",
        "순번",
        "일련번호",
    )


def _words(name: str) -> list[str]:
    """The words of a name, lower case: `SalePrice`, `sale_price` and `sale.price` have the same."""
    parts = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_A-Za-z]+", name)
    return [part.lower() for part in parts]


def _says_something(name: str) -> bool:
    """Whether a name is more than a letter or two and a number: `V1`, `x12` and `column_3` say nothing."""
    return not re.fullmatch(r"(?i)(v|x|c|f|col|column|var|feature|unnamed:?|attr|attribute)?[\s_.:]*\d+", name)


def _of_name(name: str, names: Collection[str]) -> float:
    """What its name speaks for a column: whole names count in full, words of one less, the last of them more."""
    whole = name.lower().strip()
    if whole == "y" and {"x", "z"} & set(names) and "x" in names and ("z" in names or len(names) > 3):
        return float(WORDS["x"])  # one of several coordinates
    if whole in WORDS:
        return float(WORDS[whole])
    words = _words(name)
    if not words:
        return 0.0
    if len(words) == 1 and words[0] in WORDS:
        return 0.8 * WORDS[words[0]]
    points = [(0.7 if place == len(words) - 1 else 0.4) * WORDS.get(word, 0) for place, word in enumerate(words)]
    return max([0.0, *points]) + min([0.0, *points])


def _of_values(looked: Looked, dependent: Dependence, words: Sequence[str], columns: int) -> list[tuple[float, str]]:
    """What the values of a column speak for it, in parts."""
    count = len(looked.counts)
    if count < 2:
        return [(-10.0, "")]
    said = dependent.said if dependent.said <= TOO_WELL else TOO_WELL / 2
    found = [(2 * dependent.direct, "it depends on most of the others" if dependent.direct > 0.5 else "")]
    if looked.is_even:
        found.append((-0.5, ""))
    if looked.is_number and count > 2:
        spread = min(1.0, 2 * looked.distinct) ** 0.5
        return [*found, (0.3 * said, ""), (0.8 * spread, "it has many values" if spread > 0.5 else "")]
    kind = "it has two classes" if count == 2 else f"it has {count} classes"
    only = looked.name in words and len(words) == 1 and columns >= 4 and dependent.said > 0.1
    found.append(((0.5 if count == 2 else 0.0) - (count > LEVELS), kind))
    return [*found, (said**0.5, ""), (2.0 if only else 0.0, "it alone holds words")]
