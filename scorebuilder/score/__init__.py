"""What the patient gets: points, risk, risk group, and the versioned artifact that holds them."""

from scorebuilder.score.artifact import ScoreArtifact
from scorebuilder.score.builder import ScoreBuilder
from scorebuilder.score.points import PointsScale, make_points
from scorebuilder.score.risk_groups import RiskGroups, make_risk_groups
from scorebuilder.score.store import load_artifact, save_artifact

__all__ = [
    "PointsScale",
    "RiskGroups",
    "ScoreArtifact",
    "ScoreBuilder",
    "load_artifact",
    "make_points",
    "make_risk_groups",
    "save_artifact",
]
