import { attr, definePlugin } from 'node-tensorrt';

/** Coordinates are rounded as the kernel's are: a step of a float32 beside pixel 100 is 8e-6 of a pixel. */
const f = Math.fround;

/** The value between the pixels at (y, x) of an image that begins at `from`. */
function sampleAt(data: Float32Array, from: number, height: number, width: number, y: number, x: number): number {
  if (y < -1 || y > height || x < -1 || x > width) return 0;
  const [v, u] = [Math.min(Math.max(y, 0), height - 1), Math.min(Math.max(x, 0), width - 1)];
  const [top, left] = [Math.floor(v), Math.floor(u)];
  const [bottom, right] = [Math.min(top + 1, height - 1), Math.min(left + 1, width - 1)];
  const [dy, dx] = [v - top, u - left];
  const pixel = (row: number, column: number) => data[from + row * width + column]!;
  return (
    (1 - dy) * ((1 - dx) * pixel(top, left) + dx * pixel(top, right)) +
    dy * ((1 - dx) * pixel(bottom, left) + dx * pixel(bottom, right))
  );
}

/**
 * torchvision.ops.roi_align, beside NVIDIA's ROIAlign_TRT. features [images, channels, height, width]; rois [n, 4] as x1, y1, x2, y2; batch
 * [n], the image of each roi → [n, channels, pooledHeight, pooledWidth]. A roi of an image that is not there gives zeros. Coordinates
 * are float32 also where features are not, because float16 has steps of half a pixel from 512 on.
 */
export const roiAlign = definePlugin({
  name: 'RoiAlign',
  version: '1',
  inputs: ['features', 'rois', 'batch'],
  ranks: { features: 4, rois: 2, batch: 1 },
  attributes: {
    pooledHeight: attr.int32(),
    pooledWidth: attr.int32(),
    spatialScale: attr.float32(1),
    /** Samples a bin along each axis; 0: as many as it has pixels. */
    samplingRatio: attr.int32(0),
    /** Whether pixel i lies at i + 0.5. torchvision's default is false. */
    aligned: attr.bool(false),
  },
  types: [
    { features: 'float32', rois: 'float32', batch: 'int32', y: 'float32' },
    { features: 'float16', rois: 'float32', batch: 'int32', y: 'float16' },
  ],
  outputs: ({ features, rois }, { pooledHeight, pooledWidth }) => ({
    y: [rois.shape[0], features.shape[1], pooledHeight, pooledWidth],
  }),
  cuda: new URL('./roi-align.cu', import.meta.url),
  launch({ features, rois, batch, y, int32, int64, ceilDiv, min, ...attributes }) {
    const { pooledHeight, pooledWidth, spatialScale, samplingRatio, aligned } = attributes;
    const sizes = features.shape.map((size) => int32(size));
    return [
      {
        kernel: 'roiAlign',
        template: [features.dtype],
        grid: min(ceilDiv(y.size, 128), 65_536),
        block: 128,
        args: [
          ...[features, rois, batch, y, int64(y.size), ...sizes],
          ...[pooledHeight, pooledWidth, spatialScale, samplingRatio, aligned],
        ],
      },
    ];
  },
  reference({ features, rois, batch }, { pooledHeight, pooledWidth, spatialScale, samplingRatio, aligned }) {
    const [images, channels, height, width] = features.shape as [number, number, number, number];
    const data = features.data as Float32Array;
    const shape = [rois.shape[0]!, channels, pooledHeight, pooledWidth];
    const y = new Float32Array(shape.reduce((a, b) => a * b));
    const least = aligned ? Number.NEGATIVE_INFINITY : 1;
    for (let n = 0, at = 0; n < shape[0]!; n++) {
      const roi = (rois.data as Float32Array).subarray(4 * n, 4 * n + 4);
      const corners = Array.from(roi, (v) => f(f(v * spatialScale) - (aligned ? 0.5 : 0)));
      const [left, top, right, bottom] = corners as [number, number, number, number];
      const binWidth = f(Math.max(f(right - left), least) / pooledWidth);
      const binHeight = f(Math.max(f(bottom - top), least) / pooledHeight);
      const across = samplingRatio > 0 ? samplingRatio : Math.ceil(binWidth);
      const down = samplingRatio > 0 ? samplingRatio : Math.ceil(binHeight);
      const image = Number(batch.data[n]);
      const isThere = image >= 0 && image < images && height > 0 && width > 0;
      for (let c = 0; c < channels; c++) {
        const from = (image * channels + c) * height * width;
        for (let row = 0; row < pooledHeight; row++) {
          for (let column = 0; column < pooledWidth; column++, at++) {
            let sum = 0;
            for (let v = 0; isThere && v < down; v++) {
              const py = f(f(top + f(row * binHeight)) + f(f((v + 0.5) * binHeight) / down));
              for (let u = 0; u < across; u++) {
                const px = f(f(left + f(column * binWidth)) + f(f((u + 0.5) * binWidth) / across));
                sum += sampleAt(data, from, height, width, py, px);
              }
            }
            y[at] = sum / Math.max(down * across, 1);
          }
        }
      }
    }
    return { y };
  },
});
