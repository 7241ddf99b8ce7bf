#include <cuda_fp16.h>

/** The value between the pixels at (y, x), as torchvision interpolates it. */
template <typename T>
__device__ float sampleAt(T const* image, int height, int width, float y, float x) {
  if (y < -1.f || y > height || x < -1.f || x > width) return 0;
  y = y <= 0 ? 0 : y;
  x = x <= 0 ? 0 : x;
  int top = static_cast<int>(y), left = static_cast<int>(x);
  if (top >= height - 1) y = top = height - 1;
  if (left >= width - 1) x = left = width - 1;
  int const bottom = min(top + 1, height - 1), right = min(left + 1, width - 1);
  float const dy = y - top, dx = x - left;
  auto const pixel = [&](int row, int column) {
    return static_cast<float>(image[static_cast<long long>(row) * width + column]);
  };
  return (1 - dy) * ((1 - dx) * pixel(top, left) + dx * pixel(top, right)) +
         dy * ((1 - dx) * pixel(bottom, left) + dx * pixel(bottom, right));
}

/**
 * torchvision.ops.roi_align. features [images, channels, height, width], rois [n, 4] as x1, y1, x2, y2, batch [n]: the image of
 * each roi. Writes y [n, channels, pooledHeight, pooledWidth], an element a thread. A roi of an image that is not there gives zeros.
 */
template <typename T>
__global__ void roiAlign(T const* features, float const* rois, int const* batch, T* y, long long size, int images,
                         int channels, int height, int width, int pooledHeight, int pooledWidth, float spatialScale,
                         int samplingRatio, bool aligned) {
  long long const stride = static_cast<long long>(gridDim.x) * blockDim.x;
  for (long long i = static_cast<long long>(blockIdx.x) * blockDim.x + threadIdx.x; i < size; i += stride) {
    int const column = i % pooledWidth;
    int const row = i / pooledWidth % pooledHeight;
    int const channel = i / pooledWidth / pooledHeight % channels;
    long long const n = i / pooledWidth / pooledHeight / channels;
    int const image = batch[n];
    if (image < 0 || image >= images || height < 1 || width < 1) {
      y[i] = static_cast<T>(0.f);
      continue;
    }
    float const offset = aligned ? 0.5f : 0.f;
    float const left = rois[4 * n] * spatialScale - offset, top = rois[4 * n + 1] * spatialScale - offset;
    float roiWidth = rois[4 * n + 2] * spatialScale - offset - left;
    float roiHeight = rois[4 * n + 3] * spatialScale - offset - top;
    if (!aligned) {
      roiWidth = fmaxf(roiWidth, 1.f);
      roiHeight = fmaxf(roiHeight, 1.f);
    }
    float const binWidth = roiWidth / pooledWidth, binHeight = roiHeight / pooledHeight;
    int const across = samplingRatio > 0 ? samplingRatio : static_cast<int>(ceilf(binWidth));
    int const down = samplingRatio > 0 ? samplingRatio : static_cast<int>(ceilf(binHeight));
    T const* const pixels = features + (static_cast<long long>(image) * channels + channel) * height * width;
    float sum = 0;
    for (int v = 0; v < down; v++)
      for (int u = 0; u < across; u++)
        sum += sampleAt(pixels, height, width, top + row * binHeight + (v + 0.5f) * binHeight / down,
                        left + column * binWidth + (u + 0.5f) * binWidth / across);
    y[i] = static_cast<T>(sum / max(down * across, 1));
  }
}
