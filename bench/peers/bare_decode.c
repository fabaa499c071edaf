// The limit of every image loader: libjpeg alone, over files that lie in memory already, nothing checked or kept.
// Usage: bare_decode THREADS < PATHS; prints {"images": N, "seconds": S, "cpu_seconds": S}. Compiled by the benchmark.
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <jpeglib.h>

struct file {
  unsigned char *bytes;
  unsigned long size;
};

static struct file *files;
static size_t count;
static size_t threads;

static double seconds_of(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return now.tv_sec + 1e-9 * now.tv_nsec;
}

static void read_file(const char *path, struct file *file) {
  FILE *stream = fopen(path, "rb");
  if (!stream) {
    perror(path);
    exit(1);
  }
  fseek(stream, 0, SEEK_END);
  file->size = (unsigned long)ftell(stream);
  rewind(stream);
  file->bytes = malloc(file->size);
  if (fread(file->bytes, 1, file->size, stream) != file->size) exit(1);
  fclose(stream);
}

static void *decode_share(void *first) {
  struct jpeg_decompress_struct info;
  struct jpeg_error_mgr errors;
  unsigned char *pixels = NULL;
  size_t room = 0;
  info.err = jpeg_std_error(&errors);
  jpeg_create_decompress(&info);
  for (size_t i = (size_t)first; i < count; i += threads) {
    jpeg_mem_src(&info, files[i].bytes, files[i].size);
    jpeg_read_header(&info, TRUE);
    info.out_color_space = JCS_EXT_BGR;
    jpeg_start_decompress(&info);
    const size_t row = (size_t)info.output_width * 3;
    if (room < row * info.output_height) pixels = realloc(pixels, room = row * info.output_height);
    while (info.output_scanline < info.output_height) {
      JSAMPROW rows[8];
      for (int r = 0; r < 8; r++) rows[r] = pixels + (info.output_scanline + (size_t)r) * row;
      const JDIMENSION left = info.output_height - info.output_scanline;
      jpeg_read_scanlines(&info, rows, left < 8 ? left : 8);
    }
    jpeg_finish_decompress(&info);
  }
  jpeg_destroy_decompress(&info);
  free(pixels);
  return NULL;
}

int main(int argc, char **argv) {
  char *line = NULL;
  size_t room = 0, held = 0;
  threads = argc > 1 ? strtoul(argv[1], NULL, 10) : 1;
  if (threads < 1 || threads > 256) return 2;
  while (getline(&line, &room, stdin) > 0) {
    line[strcspn(line, "\n")] = 0;
    if (count == held) files = realloc(files, (held = 2 * held + 64) * sizeof *files);
    read_file(line, &files[count++]);
  }
  free(line);
  const double start = seconds_of(CLOCK_MONOTONIC), cpu_start = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
  pthread_t workers[256];
  for (size_t i = 0; i < threads; i++) pthread_create(&workers[i], NULL, decode_share, (void *)i);
  for (size_t i = 0; i < threads; i++) pthread_join(workers[i], NULL);
  printf("{\"images\": %zu, \"seconds\": %f, \"cpu_seconds\": %f}\n", count, seconds_of(CLOCK_MONOTONIC) - start,
         seconds_of(CLOCK_PROCESS_CPUTIME_ID) - cpu_start);
  return 0;
}
