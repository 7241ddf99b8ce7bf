#!/usr/bin/env python3
"""Writes a detector like YOLOv8 with random weights, its boxes and scores, and what non-maximum suppression leaves.

    python3 examples/yolov8/reference.py [--full]

Needs PyTorch >= 1.13, torchvision, numpy and safetensors. The network is written here in plain PyTorch, with the names that
checkpoints of YOLOv8 have: C2f and SPPF in the backbone, a path aggregation neck, a decoupled head, and box sides as
distributions (distribution focal loss, Li et al. 2020). The full size is that of YOLOv8n; the reduced one has all its
modules, with narrower ones and images of 64 x 64.
"""

import sys
from pathlib import Path

import torch
from torch import nn
from torchvision.ops import batched_nms

sys.path.append(str(Path(__file__).resolve().parent.parent))
from porting import save, settle, start  # noqa: E402


class Conv(nn.Module):
    def __init__(self, inputs, outputs, kernel=1, stride=1):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)
        self.bn = nn.BatchNorm2d(outputs, eps=1e-3)

    def forward(self, x):
        return nn.functional.silu(self.bn(self.conv(x)))


class Bottleneck(nn.Module):
    def __init__(self, channels, shortcut):
        super().__init__()
        self.cv1 = Conv(channels, channels, 3)
        self.cv2 = Conv(channels, channels, 3)
        self.shortcut = shortcut

    def forward(self, x):
        y = self.cv2(self.cv1(x))
        return x + y if self.shortcut else y


class C2f(nn.Module):
    def __init__(self, inputs, outputs, repeats, shortcut=False):
        super().__init__()
        self.cv1 = Conv(inputs, outputs // 2 * 2)
        self.cv2 = Conv((2 + repeats) * (outputs // 2), outputs)
        self.m = nn.ModuleList(Bottleneck(outputs // 2, shortcut) for _ in range(repeats))

    def forward(self, x):
        parts = list(self.cv1(x).chunk(2, 1))
        for block in self.m:
            parts.append(block(parts[-1]))
        return self.cv2(torch.cat(parts, 1))


class SPPF(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.cv1 = Conv(channels, channels // 2)
        self.cv2 = Conv(channels // 2 * 4, channels)
        self.pool = nn.MaxPool2d(5, 1, 2)

    def forward(self, x):
        parts = [self.cv1(x)]
        for _ in range(3):
            parts.append(self.pool(parts[-1]))
        return self.cv2(torch.cat(parts, 1))


class DFL(nn.Module):
    def __init__(self, bins):
        super().__init__()
        self.conv = nn.Conv2d(bins, 1, 1, bias=False)
        self.conv.weight[:] = torch.arange(bins).view(1, bins, 1, 1)

    def forward(self, x):
        """[batch, 4 * bins, n] to the means [batch, 4, n]."""
        b, c, n = x.shape
        return self.conv(x.view(b, 4, c // 4, n).transpose(1, 2).softmax(1)).view(b, 4, n)


class Detect(nn.Module):
    def __init__(self, channels, classes, bins):
        super().__init__()
        box, cls = max(16, channels[0] // 4, bins * 4), max(channels[0], min(classes, 100))
        head = lambda c, inner, out: nn.Sequential(Conv(c, inner, 3), Conv(inner, inner, 3), nn.Conv2d(inner, out, 1))
        self.cv2 = nn.ModuleList(head(c, box, 4 * bins) for c in channels)
        self.cv3 = nn.ModuleList(head(c, cls, classes) for c in channels)
        self.dfl = DFL(bins)

    def forward(self, levels, size):
        points, strides = [], []
        for x in levels:
            n = x.shape[-1]
            y, x = torch.meshgrid(torch.arange(n) + 0.5, torch.arange(n) + 0.5, indexing="ij")
            points.append(torch.stack((x, y), -1).view(-1, 2))
            strides.append(torch.full((n * n, 1), size / n))
        points, strides = torch.cat(points), torch.cat(strides)
        sides = torch.cat([head(x).flatten(2) for head, x in zip(self.cv2, levels)], 2)
        scores = torch.cat([head(x).flatten(2) for head, x in zip(self.cv3, levels)], 2)
        near, far = self.dfl(sides).transpose(1, 2).chunk(2, 2)
        boxes = torch.cat((points - near, points + far), 2) * strides
        return boxes, scores.transpose(1, 2).sigmoid()


class YOLOv8(nn.Module):
    def __init__(self, widths, depths, classes, bins):
        super().__init__()
        a, b, c, d, e = widths
        p, q, r, s = depths
        up = nn.Upsample(scale_factor=2, mode="nearest")
        none = nn.Identity()  # where YOLOv8 concatenates
        self.model = nn.ModuleList([
            Conv(3, a, 3, 2), Conv(a, b, 3, 2), C2f(b, b, p, True), Conv(b, c, 3, 2), C2f(c, c, q, True),
            Conv(c, d, 3, 2), C2f(d, d, r, True), Conv(d, e, 3, 2), C2f(e, e, s, True), SPPF(e),
            up, none, C2f(e + d, d, p), up, none, C2f(d + c, c, p),
            Conv(c, c, 3, 2), none, C2f(c + d, d, p), Conv(d, d, 3, 2), none, C2f(d + e, e, p),
            Detect((c, d, e), classes, bins),
        ])  # fmt: skip

    def forward(self, image):
        m, x, kept = self.model, image, {}
        for i in range(10):
            x = kept[i] = m[i](x)
        p4 = m[12](torch.cat((m[10](x), kept[6]), 1))
        p3 = m[15](torch.cat((m[13](p4), kept[4]), 1))
        n4 = m[18](torch.cat((m[16](p3), p4), 1))
        n5 = m[21](torch.cat((m[19](n4), x), 1))
        return m[22]((p3, n4, n5), image.shape[-1])


def suppress(boxes, scores, config):
    """What is left of all pairs of box and class: rows of batch, class and box, by batch and falling score."""
    rows = []
    for i, (own, score) in enumerate(zip(boxes, scores)):
        box, cls = (score > config["scoreThreshold"]).nonzero().unbind(1)
        keep = batched_nms(own[box], score[box, cls], cls, config["iouThreshold"])
        rows.append(torch.stack((torch.full_like(keep, i), cls[keep], box[keep]), 1))
    return torch.cat(rows)


def is_stable(boxes, scores, config, size, fewest):
    """Whether noise of a size relative to all values leaves what is selected, at least `fewest` rows, and the order."""
    selected = suppress(boxes, scores, config)
    noise = lambda x: x + torch.randn_like(x) * x.square().mean().sqrt() * size
    tries = [suppress(noise(boxes), noise(scores), config) for _ in range(20)]
    return len(selected) >= fewest and all(torch.equal(selected, other) for other in tries)


def main():
    full, folder = start(__doc__, __file__)
    size, depths = (640 if full else 64), [1, 2, 2, 1]
    widths, classes, bins = ([16, 32, 64, 128, 256], 80, 16) if full else ([8, 16, 24, 32, 48], 6, 8)
    model = YOLOv8(widths, depths, classes, bins)
    for head in model.model[22].cv3:
        head[2].bias.sub_(1)
    settle(model, torch.randn(8 if full else 64, 3, size, size), residual=["m.0.cv2.bn", "m.1.cv2.bn"])
    # Half precision leaves what is selected alone, of the full size's 1,300,000 scores too.
    noise, best, fewest = (2e-3, 5, 6) if full else (3e-3, 8, 10)
    config = {"depths": depths, "size": size, "iouThreshold": 0.5}
    for attempt in range(400):
        image = torch.randn(2, 3, size, size)
        boxes, scores = model(image)
        least = scores.flatten(1).topk(best).values[:, -1]
        config["scoreThreshold"] = round(least.max().item(), 3)
        if is_stable(boxes, scores, config, noise, fewest):
            break
    else:
        sys.exit("no image gives detections that rounding leaves alone")
    selected = suppress(boxes, scores, config)
    item, cls, box = selected.unbind(1)
    candidates = (scores > config["scoreThreshold"]).sum().item()
    print(f"attempt {attempt}: {len(selected)} of {candidates} candidates above {config['scoreThreshold']}")
    run = {"image": image, "boxes": boxes, "scores": scores, "selected": selected}
    run |= {"selected_boxes": boxes[item, box], "selected_scores": scores[item, box, cls]}
    save(folder, config, model.state_dict(), {"image": run})


if __name__ == "__main__":
    main()
