"""Where the eyes are in the portraits of the tests."""

from pipeline.values import PointXY

# Pupils, left and right as seen, read off the enlarged pictures by eye.
EYES: dict[str, tuple[PointXY, PointXY]] = {
    "astronaut.png": ((203.7, 101.1), (246.7, 103.3)),
    "grace-hopper.png": ((52.4, 42.3), (73.0, 41.9)),
    "tiny-dark-skin-white-bg.jpg": ((72.7, 138.7), (121.7, 134.7)),
    "tiny-glasses-autumn.jpg": ((79.7, 115.3), (117.8, 112.3)),
    "tiny-long-hair.jpg": ((77.2, 121.3), (123.2, 128.3)),
    "tiny-pale-dress.jpg": ((68.2, 101.7), (106.3, 98.2)),
    "tiny-white-blouse.jpg": ((67.5, 85.0), (105.2, 83.5)),
}
