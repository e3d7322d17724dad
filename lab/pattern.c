// SPDX-License-Identifier: MIT
/*
 * lab-pattern, in dom0 and in guests: judges what a device of lab/devices sent, on standard input.
 *
 *   lab-pattern frames BYTES   video frames of so many bytes each
 *   lab-pattern samples        sound, 16 bits a sample
 *
 * Prints how many there were, how many were damaged, and how many numbers of frames were left out.
 * Of sound, which has no numbers, each sample that does not follow from the one before counts.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "devices/pattern.h"

static int is_damaged(const uint32_t *words, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (words[i] != pattern_frame_word(words[1], (uint32_t)i))
			return 1;
	return 0;
}

static int judge_frames(size_t bytes)
{
	unsigned long frames = 0, damaged = 0, lost = 0;
	uint32_t *words = malloc(bytes);
	uint32_t last = 0;

	if (!words || bytes < 8 || bytes % 4)
		return 2;
	while (fread(words, bytes, 1, stdin) == 1) {
		if (is_damaged(words, bytes / 4)) {
			damaged++;
		} else if (!frames || (int32_t)(words[1] - last) > 0) {
			if (frames)
				lost += words[1] - last - 1;
			last = words[1];
		} /* else a buffer came with an older frame in it: the next counts what was lost */
		frames++;
	}
	free(words);
	printf("%lu frames, %lu damaged, %lu lost\n", frames, damaged, lost);
	return 0;
}

static int judge_samples(void)
{
	unsigned long samples = 0, wrong = 0;
	uint16_t last = 0, sample;

	while (fread(&sample, sizeof(sample), 1, stdin) == 1) {
		if (samples && sample != pattern_next_sample(last))
			wrong++;
		last = sample;
		samples++;
	}
	printf("%lu samples, %lu wrong\n", samples, wrong);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "frames") == 0)
		return judge_frames(strtoul(argv[2], NULL, 10));
	if (argc == 2 && strcmp(argv[1], "samples") == 0)
		return judge_samples();
	fprintf(stderr, "lab-pattern frames BYTES | lab-pattern samples\n");
	return 2;
}
