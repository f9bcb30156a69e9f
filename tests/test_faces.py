from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from indexer.area import Tables, reduced, reduced_boxes, summed_areas
from indexer.errors import EnvironmentFailure, UsageError
from indexer.faces import FaceDetector, sharpness, thumbnail
from indexer.mtcnn import Cascade, Found
from indexer.proposals import suppressed, suppressed_within
from indexer.runtime import choose_runtime
from indexer.settings import FaceSettings

STILLS = ("obama_and_biden.jpg", "two_people.jpg", "obama-240p.jpg")
FRAMES = (("facenetpytorch_video.mp4", 40), ("bbaf2n.mpg", 5))
ASTRONAUT_BOX = (180.3, 60.7, 268.4, 172.2)


@pytest.fixture(scope="module")
def detector() -> FaceDetector:
    return FaceDetector(FaceSettings())


@pytest.fixture(scope="module")
def astronaut() -> np.ndarray:
    from skimage import data

    return data.astronaut()


@pytest.fixture(scope="module")
def real_pictures(shared_data) -> list[np.ndarray]:
    import av

    pictures = []
    for name in STILLS:
        photo = Image.open(shared_data / "data/stills" / name).convert("RGB")
        photo.thumbnail((800, 800))
        pictures.append(np.asarray(photo))
    for name, index in FRAMES:
        with av.open(str(shared_data / "data/videos" / name)) as video:
            for number, frame in enumerate(video.decode(video=0)):
                if number == index:
                    pictures.append(frame.to_ndarray(format="rgb24"))
                    break
    assert len(pictures) == 5
    return pictures


def as_rows(detections) -> np.ndarray:
    """Box, landmarks and probability of each face, as rows of 15 numbers."""
    return np.array(
        [(*d.box_xyxy, *np.ravel(d.landmarks_xy), d.probability) for d in detections]
    ).reshape(-1, 15)


def test_a_portrait_has_one_face_where_it_is(detector, astronaut):
    [[face]] = detector.detect([astronaut])
    assert face.box_xyxy == pytest.approx(ASTRONAUT_BOX, abs=1)
    assert face.probability > 0.99
    left_eye, right_eye, nose, left_mouth, right_mouth = face.landmarks_xy
    assert left_eye[0] < nose[0] < right_eye[0]
    assert left_mouth[0] < right_mouth[0]
    assert max(left_eye[1], right_eye[1]) < nose[1] < min(left_mouth[1], right_mouth[1])


def test_faces_are_numbered_from_left_to_right(detector, astronaut):
    picture = np.concatenate([astronaut, astronaut, astronaut], axis=1)
    [faces] = detector.detect([picture])
    assert [round(face.box_xyxy[0] / 512) for face in faces] == [0, 1, 2]


def assert_the_same(found: Found, theirs: tuple[np.ndarray, ...]) -> int:
    """Compare faces with facenet-pytorch's, within 0.01 px; return how many there are."""
    boxes, probabilities, landmarks = theirs
    if boxes is None:
        assert not len(found.boxes)
        return 0
    assert len(found.boxes) == len(boxes)
    order, their_order = np.argsort(found.boxes[:, 0]), np.argsort(boxes[:, 0])
    for mine, his in (
        (found.boxes, boxes),
        (found.landmarks, landmarks),
        (found.probabilities, probabilities),
    ):
        np.testing.assert_allclose(mine[order], his[their_order].astype(float), atol=0.01)
    return len(boxes)


@pytest.mark.parametrize("wanted", ["openvino", "torch"])
@pytest.mark.parametrize("min_face_px", [20, 40])
def test_faces_are_those_of_facenet_pytorch(real_pictures, min_face_px, wanted):
    from facenet_pytorch import MTCNN

    theirs = MTCNN(keep_all=True, min_face_size=min_face_px)
    ours = Cascade(choose_runtime("cpu", wanted, threads=2))
    faces = 0
    for picture in real_pictures:
        [found] = ours([picture], min_face_px=min_face_px, min_probability=0.7)
        faces += assert_the_same(found, theirs.detect(picture, landmarks=True))
    assert faces >= 10


@pytest.mark.slow
def test_faces_of_many_people_are_those_of_facenet_pytorch(shared_data):
    """A sample; `python -m benchmarks.detection --photos 1000` compares more of them."""
    from facenet_pytorch import MTCNN

    theirs = MTCNN(keep_all=True, min_face_size=40)
    ours = Cascade(choose_runtime("cpu"))
    photos = sorted((shared_data / "data/lfw").glob("*/*.jpg"))[::60]
    faces = 0
    for photo in photos:
        picture = np.asarray(Image.open(photo).convert("RGB"))
        [found] = ours([picture], min_face_px=40, min_probability=0.7)
        faces += assert_the_same(found, theirs.detect(picture, landmarks=True))
    assert faces > len(photos) > 100


def test_reduced_pictures_are_those_of_torch():
    import torch

    image = np.random.default_rng(0).integers(0, 256, (97, 301, 3), np.uint8)
    planes = torch.from_numpy(image).permute(2, 0, 1).float()

    def theirs(part: torch.Tensor, size: tuple[int, int]) -> np.ndarray:
        return torch.nn.functional.adaptive_avg_pool2d(part, size).permute(1, 2, 0).numpy()

    boxes = np.array([(0, 0, 301, 97), (5, 7, 6, 8), (250, 40, 301, 97), (10, 10, 31, 90)])
    tables = Tables()
    with tables.lent(image[:, ::-1]) as memory:
        summed_areas(image[:, ::-1], memory)
    with tables.lent(image) as memory:  # the same memory again
        table = summed_areas(image, memory)
        for size in ((97, 301), (50, 150), (33, 100), (1, 1), (12, 40), (120, 400)):
            np.testing.assert_allclose(reduced(table, size), theirs(planes, size), atol=1e-4)
        found = reduced_boxes(table, boxes, 24)
    for part, (x1, y1, x2, y2) in zip(found, boxes, strict=True):
        np.testing.assert_allclose(part, theirs(planes[:, y1:y2, x1:x2], (24, 24)), atol=1e-4)


@pytest.mark.parametrize("count", [0, 1, 127, 128, 129, 3000])
@pytest.mark.parametrize("max_iou", [0.5, 0.7])
def test_suppressed_boxes_are_those_of_torchvision(count, max_iou):
    import torch
    from torchvision.ops import nms

    random = np.random.default_rng(count)
    corners = random.integers(0, 300, (count, 2))
    boxes = np.hstack([corners, corners + random.integers(0, 60, (count, 2))]).astype(np.float32)
    scores = random.integers(0, 50, count).astype(np.float32) / 50  # many are equal
    theirs = nms(torch.from_numpy(boxes), torch.from_numpy(scores), max_iou)
    np.testing.assert_array_equal(suppressed(boxes, scores, max_iou), theirs.numpy())


def test_a_batch_gives_the_same_faces_as_single_pictures(detector, real_pictures):
    pictures = [*real_pictures, *(picture[:, ::-1] for picture in real_pictures)]
    together = detector.detect(pictures)
    for picture, faces in zip(pictures, together, strict=True):
        [alone] = detector.detect([picture])
        np.testing.assert_allclose(as_rows(faces), as_rows(alone), atol=1e-3)
    assert sum(map(len, together)) >= 20


def test_pictures_of_any_mix_of_sizes_keep_their_order(detector, astronaut):
    small = np.ascontiguousarray(astronaut[:256, 100:356])
    grey = np.full((512, 512, 3), 128, np.uint8)
    found = detector.detect([small, astronaut, grey, small, astronaut])
    assert [len(faces) for faces in found] == [1, 1, 0, 1, 1]
    assert found[0] == found[3]
    assert found[0][0].box_xyxy[0] == pytest.approx(ASTRONAUT_BOX[0] - 100, abs=8)
    assert found[1][0].box_xyxy[0] == pytest.approx(ASTRONAUT_BOX[0], abs=1)


def test_no_pictures_have_no_faces(detector):
    assert detector.detect([]) == []


@pytest.mark.parametrize(
    "size", [(1, 1), (1, 500), (11, 11), (39, 39), (40, 40), (41, 3000), (300, 20_000)]
)
def test_a_picture_without_faces_has_none_whatever_its_size(detector, size):
    noise = np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)
    assert detector.detect([noise, noise]) == [[], []]


def test_a_face_in_a_very_long_strip_is_found(detector, astronaut):
    strip = np.zeros((300, 20_000, 3), np.uint8)
    strip[:, 18_000:18_512] = astronaut[:300]
    [[face]] = detector.detect([strip])
    assert face.box_xyxy[0] == pytest.approx(18_180, abs=8)


def test_every_face_of_a_crowd_is_found(astronaut):
    wall = np.tile(astronaut[60:220, 160:290], (4, 6, 1))
    [faces] = FaceDetector(FaceSettings(min_face_px=80)).detect([wall])
    assert len(faces) == 24


def test_more_boxes_than_16_bits_can_number_are_told_apart():
    boxes = np.tile(np.float32((10, 10, 50, 50)), (40_000, 1))
    boxes[7] = (200, 200, 240, 240)
    scores = np.linspace(0.8, 0.9, 40_000, dtype=np.float32)
    assert suppressed_within(boxes, scores, 0.7).tolist() == [39_999, 7]


def test_sums_of_a_picture_may_exceed_32_bits(astronaut):
    white = np.full((3000, 3000, 3), 255, np.uint8)
    white[2400:2912, 2400:2912] = astronaut
    [found] = Cascade(choose_runtime("cpu"))([white], min_face_px=80, min_probability=0.9)
    assert found.boxes.round().tolist() == [pytest.approx([2580, 2461, 2668, 2572], abs=8)]


@pytest.mark.slow
def test_memory_does_not_grow_with_the_number_of_sizes(astronaut):
    import psutil

    cascade = Cascade(choose_runtime("cpu", threads=1))
    process = psutil.Process()
    after_mb = {}
    for number in range(91):
        picture = np.ascontiguousarray(
            np.tile(astronaut, (2, 2, 1))[: 400 + number, : 900 - number]
        )
        cascade([picture], min_face_px=40, min_probability=0.9)
        after_mb[number] = process.memory_info().rss / 1e6
    assert after_mb[90] - after_mb[30] < 100


def test_boxes_end_at_the_pictures_edges(detector, astronaut):
    cut = np.ascontiguousarray(astronaut[95:, 190:])
    [[face]] = detector.detect([cut])
    assert min(face.box_xyxy) == 0.0
    [[face]] = detector.detect([np.ascontiguousarray(astronaut[:160, :260])])
    assert face.box_xyxy[2:] == (260.0, 160.0)


def test_the_smallest_face_is_in_pixels_of_the_given_picture(astronaut):
    [[face]] = FaceDetector(FaceSettings(min_face_px=40)).detect([astronaut])
    width = face.box_xyxy[2] - face.box_xyxy[0]
    assert FaceDetector(FaceSettings(min_face_px=int(width) - 4)).detect([astronaut]) != [[]]
    assert FaceDetector(FaceSettings(min_face_px=int(width) + 4)).detect([astronaut]) == [[]]


def test_a_longest_side_reduces_the_search_but_not_the_coordinates(astronaut):
    large = np.kron(astronaut, np.ones((3, 3, 1), np.uint8))
    [[face]] = FaceDetector(FaceSettings(max_side_px=512)).detect([large])
    assert face.box_xyxy == pytest.approx([3 * x for x in ASTRONAUT_BOX], abs=12)
    reduced = FaceDetector(FaceSettings(max_side_px=512, min_face_px=280))
    assert reduced.detect([large]) == [[]]


def test_an_improbable_face_is_left_out(astronaut):
    blurred = np.asarray(Image.fromarray(astronaut).resize((26, 26)).resize((512, 512)))
    [doubtful] = FaceDetector(FaceSettings(min_probability=0.0)).detect([blurred])
    assert doubtful
    assert all(face.probability < 0.9 for face in doubtful)
    assert FaceDetector(FaceSettings(min_probability=0.9)).detect([blurred]) == [[]]


def test_settings_that_cannot_hold_are_refused():
    with pytest.raises(UsageError, match="no face under 12"):
        FaceDetector(FaceSettings(min_face_px=8))
    with pytest.raises(UsageError, match="auto, cpu or cuda"):
        FaceDetector(FaceSettings(device="gpu"))


def test_a_missing_cuda_device_is_not_replaced_silently():
    import torch

    if torch.cuda.is_available():
        assert FaceDetector(FaceSettings(device="cuda")).detect([]) == []
    else:
        with pytest.raises(EnvironmentFailure, match="no CUDA"):
            FaceDetector(FaceSettings(device="cuda"))


@pytest.mark.parametrize(
    "picture",
    [np.zeros((9, 9), np.uint8), np.zeros((9, 9, 3)), np.zeros((0, 9, 3), np.uint8)],
    ids=["grey", "float", "empty"],
)
def test_what_is_no_rgb_picture_is_refused(detector, picture):
    with pytest.raises(UsageError, match=r"must be \(h, w, 3\) uint8"):
        detector.detect([picture])


def test_a_blurred_face_is_less_sharp(astronaut):
    face = Image.fromarray(astronaut).crop((180, 61, 268, 172))
    blurred = face.resize((24, 32)).resize(face.size)
    assert sharpness(np.asarray(face)) > 5 * sharpness(np.asarray(blurred))
    assert sharpness(np.full((50, 40, 3), 90, np.uint8)) == 0.0


def test_sharpness_compares_faces_of_different_sizes(astronaut):
    face = Image.fromarray(astronaut).crop((180, 61, 268, 172))
    large = face.resize((352, 444), Image.Resampling.BICUBIC)
    ratio = sharpness(np.asarray(large)) / sharpness(np.asarray(face))
    assert 0.5 < ratio < 2


def opened(jpeg: bytes) -> np.ndarray:
    image = Image.open(io.BytesIO(jpeg))
    assert image.format == "JPEG"
    return np.asarray(image).astype(int)


def test_a_thumbnail_is_a_small_square_jpeg_around_the_face(astronaut):
    jpeg = thumbnail(astronaut, (177.0, 71.0, 274.0, 200.0))
    assert 1500 < len(jpeg) < 5000
    shown = opened(jpeg)
    expected = Image.fromarray(astronaut).crop((135, 45, 316, 226)).resize((128, 128))
    assert np.abs(shown - np.asarray(expected)).mean() < 6


@pytest.mark.parametrize(
    ("box", "size"),
    [
        ((0.0, 0.0, 60.0, 80.0), (100, 100)),
        ((70.5, 20.0, 100.0, 60.0), (100, 100)),
        ((0.0, 0.0, 200.0, 30.0), (30, 200)),
        ((0.0, 0.0, 1.0, 1.0), (1, 1)),
    ],
    ids=["corner", "edge", "strip", "one pixel"],
)
def test_a_thumbnail_stays_within_the_picture(box, size):
    picture = np.full((*size, 3), (10, 200, 90), np.uint8)
    shown = opened(thumbnail(picture, box))
    assert shown.shape == (128, 128, 3)
    assert np.abs(shown - (10, 200, 90)).max() < 8
