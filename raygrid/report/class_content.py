"""What the report says of single classes and of probabilities: sheets and figures for the page, and files."""

from collections.abc import Callable

from raygrid.report.calibration import calibration_sheet, calibrations_of, calibrations_to_csv
from raygrid.report.classes import class_sheets, classes_of, classes_to_csv, group_sheet
from raygrid.report.figures.figure import Figure
from raygrid.report.figures.reliability import reliability
from raygrid.report.further import Predictions
from raygrid.report.groups import Grouping
from raygrid.report.results import Results
from raygrid.report.sheets import Sheet


def class_content(
    results: Results, predictions: Callable[[str], Predictions], grouping: Grouping
) -> tuple[list[Sheet | Figure], dict[str, str]]:
    """Return the section `classes` of the page, and the texts of files by name."""
    classes, calibrations = classes_of(results, grouping), calibrations_of(results, predictions)
    content = [
        group_sheet(classes, grouping),
        *class_sheets(classes),
        calibration_sheet(calibrations),
        reliability(calibrations),
    ]
    files = {"classes.csv": classes_to_csv(classes), "calibration.csv": calibrations_to_csv(calibrations)}
    return [one for one in content if one], files
