"""The Helm chart's values, and the files of the chart that are generated from them."""

from npuserve.cli.chart.files import CHART_FILES

__all__ = ["CHART_FILES"]
