"""The page Activations through AppTest: every family of data, every section, and what is wrong with one."""

import io
import re

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from playground.displays.layer_rows import LayerRows
from playground.displays.saliency import FeatureBars, GradCamMap, SaliencyMap
from playground.displays.tiles import DIVERGING, SEQUENTIAL, Tiles, palette, places, sheet_png
from playground.displays.units import Distribution, UnitsOverExamples
from playground.records import Event
from playground.spec import with_settings
from tests.desk import STARTING, Desk, experiment_of
from tests.desk_inside import activations, picture, units
from tests.runs import run_in
from tests.visit import text, visit, whole


def page(store, kind: str, *, ended: Event | None = Event.FINISH) -> AppTest:
    run = run_in(store, experiment_of(kind), ended)
    for epoch in (0, 3, 6):
        store.keep_epoch(run.id, epoch, {"v0": np.zeros(1)})
    return visit("activations", run=run.id)


def html(at: AppTest) -> str:
    return "\n".join(part.proto.body for part in at.get("html"))


def pick(at: AppTest, label: str):
    return next(box for box in at.selectbox if box.label == label)


class TestPage:
    @pytest.mark.parametrize("kind", ["digits", "moons", "iris", "breast_cancer", "diabetes"])
    def test_every_family_of_data_is_shown(self, store, kind):
        at = page(store, kind)
        assert not at.error, at.error[0].value
        assert "Over many examples" in text(at)
        assert html(at).count('class="layer"') == 3
        assert "This layer has no weights." in html(at)
        assert "hidden: 1 of" in text(at)

    def test_a_picture_has_saliency_and_grad_cam_of_two_classes(self, store):
        at = page(store, "digits")
        assert html(at).count('class="saliency"') == 6
        whole(pick(at, "Class").set_value(3).run())
        whole(pick(at, "Beside it").set_value(8).run())
        assert "What speaks for 3 in pool is strongest at the top right." in html(at)
        assert "What speaks for 8 in pool" in html(at)
        whole(pick(at, "Layer of Grad-CAM").set_value("conv").run())
        assert "What speaks for 8 in conv" in html(at)

    def test_a_class_that_was_chosen_is_not_that_in_its_place_in_another_network(self, store):
        """Chosen is the digit 8, the last of five; the other network's last one is 9."""
        for classes in ("[2,5,6,7,9]", "[0,1,3,4,8]"):
            run = run_in(store, with_settings(experiment_of("digits"), [f"data.classes={classes}"]), Event.FINISH)
            store.keep_epoch(run.id, 0, {"v0": np.zeros(1)})
        at = visit("activations", run=run.id)
        whole(pick(at, "Class").set_value(4).run())
        assert "What speaks for 8 in pool" in html(at)
        other = next(other.id for other in store.runs() if other.id != run.id)
        whole(pick(at, "Network").set_value(other).run())
        assert not at.error, at.error[0].value
        assert pick(at, "Class").value is None

    def test_a_table_has_bars(self, store):
        at = page(store, "iris")
        assert "Grad-CAM" not in text(at)
        assert "raises the score of" in text(at) or "lowers the score of" in text(at)

    def test_the_scale_of_colours_is_a_choice(self, store):
        at = page(store, "digits")
        before = html(at)
        scale = next(group for group in at.get("button_group") if group.proto.label == "Strongest colour")
        whole(scale.set_value("unit").run())
        assert "largest of each" in html(at)
        assert html(at) != before

    def test_distributions_go_through_the_kept_epochs(self, store, desk):
        at = page(store, "digits")
        asked = desk.asked.count("probe")
        whole(next(toggle for toggle in at.toggle if toggle.label == "Through the epochs").set_value(True).run())
        assert desk.asked.count("probe") == asked + 3
        assert "At epoch 0 the mean was" in text(at)

    def test_the_strongest_examples_of_another_unit(self, store):
        at = page(store, "digits")
        unit = next(number for number in at.number_input if number.label == "Unit")
        whole(unit.set_value(20).run())
        assert "Strongest examples of unit 20 of hidden" in text(at)
        assert html(at).count('class="strongest"') == 1

    def test_a_live_run_is_looked_into(self, store):
        assert not page(store, "digits", ended=None).error

    def test_while_the_engine_starts_the_page_says_so_once(self, store, desk):
        desk.now = STARTING
        at = page(store, "digits")
        assert not at.error
        assert [info.value for info in at.info].count(STARTING.message) == 1
        desk.now = Desk().now
        assert html(whole(at.run())).count('class="layer"') == 3


def colored(values, limits, *, signed):
    return palette(signed=signed)[places(values, limits, signed=signed)]


class TestTiles:
    def test_zero_is_grey_and_signs_have_their_colours(self):
        colors = colored(np.array([-1.0, 0.0, 1.0, 5.0, np.nan]), 1.0, signed=True)
        hexes = ["#" + "".join(f"{channel:02x}" for channel in color) for color in colors]
        assert hexes[0] == DIVERGING[0]
        assert max(abs(int(a) - int(b)) for a, b in zip(colors[1], bytes.fromhex(DIVERGING[3][1:]), strict=True)) <= 2
        assert hexes[2] == hexes[3] == DIVERGING[-1]
        assert hexes[4] == "#8a8f98"

    def test_magnitudes_go_from_dark_to_bright(self):
        colors = colored(np.array([0.0, 2.0]), 2.0, signed=False)
        assert ["#" + color.tobytes().hex() for color in colors] == [SEQUENTIAL[0], SEQUENTIAL[-1]]

    def test_what_is_all_zero_has_one_colour(self):
        assert len(np.unique(colored(np.zeros(5), 0.0, signed=True), axis=0)) == 1

    @pytest.mark.parametrize(
        "shape", [(1, 1, 28, 28), (1, 32, 26, 26), (8, 12, 13, 13), (1, 1024, 1, 1), (1, 9, 1, 128)]
    )
    def test_a_sheet_fits_its_column(self, shape):
        image = Image.open(io.BytesIO(sheet_png(np.zeros(shape, np.uint8), signed=True)))
        assert max(image.size) <= 900

    def test_a_scale_says_what_the_strongest_colour_stands_for(self):
        maps = np.stack([np.full((4, 4), 0.5), np.full((4, 4), -2.0)])[None]
        tiles = Tiles.from_answer(picture(maps, maps))
        assert tiles.limit("layer", 7) == 2.0
        assert tiles.limit("global", 7) == 7
        assert tiles.limit("unit", 7) is None
        cells = Tiles.from_answer(picture(np.ones(3), np.ones((1, 3, 1, 1))))
        assert cells.limit("unit", 7) == 1.0

    def test_what_is_left_out_is_said(self):
        found = {**picture(np.ones((40, 4, 4)), np.ones((1, 40, 4, 4))), "step": 2}
        assert Tiles.from_answer(found).left_out() == "Shown: the first 32 of 40 units, every 2nd value."


class TestWords:
    def test_integrated_gradients_name_their_sum(self):
        values = np.zeros((4, 4, 1))
        values[1, 1], values[2, 2] = 3, -1
        assert "together 2." in SaliencyMap(values, "3", "integrated_gradients").summary()
        assert SaliencyMap(values * 0, "3", "gradient").summary() == "Nothing in this picture changes the score of 3."

    def test_grad_cam_names_the_place(self):
        cam = np.zeros((3, 3))
        shown = GradCamMap(np.zeros((9, 9, 1)), 255, cam, "3", "conv")
        assert shown.summary().startswith("By the mean gradient of its maps nothing in conv speaks for 3")
        cam[2, 0] = 1
        assert GradCamMap(np.zeros((9, 9, 1)), 255, cam, "3", "conv").summary().endswith("at the bottom left.")
        assert 'class="saliency"' in shown.html()

    def test_bars_name_the_strongest_feature(self):
        bars = FeatureBars(np.array([0.5, -2.0]), ("age", "bmi"), "1", "gradient").plot()
        assert bars.data.column("feature").to_pylist() == ["bmi", "age"]
        assert bars.summary == "A higher bmi lowers the score of 1 most: −2 a unit of the scaled value."

    def test_units_name_the_dead(self, lab):
        from playground import data

        loaded = data.load(experiment_of("iris").data, 0, ())
        found = UnitsOverExamples.from_answer(units(loaded, _Asked(), None))
        assert found.summary() == "hidden: 1 of 4 units is dead (0 for every example): 1."
        both = Distribution([found.layers[0]] * 2, [0, 5]).plot()
        assert both.data.num_rows == 80
        assert re.search(r"40.0% are exactly 0\. At epoch 0 the mean was 0\.2", both.summary)

    def test_a_layer_says_why_it_has_no_gradient(self):
        from playground import data

        loaded = data.load(experiment_of("digits").data, 0, ())
        rows = LayerRows.from_answer(activations(loaded, _Asked(), None))
        last = rows.html(rows.rows[-1], "layer")
        assert "The score is taken before this layer's activation" in last
        assert "The score reaches none of these weights." in last
        assert rows.summary().startswith("Gradients are those of the predicted class's score before")


class _Asked:
    """A question with all fields that the desk reads."""

    part, index, target, examples = "test", 0, None, 50
