// SPDX-License-Identifier: MIT
/*
 * lab-sound, in dom0 and in guests: /dev/dsp, 48,000 times a second, two channels, 16 bits.
 *
 *   lab-sound play           plays standard input, and waits until all of it was played
 *   lab-sound record BYTES   writes so many bytes of what is heard to standard output
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/soundcard.h>
#include <unistd.h>

/* 32 pieces of 8 KiB: more than a second, for a machine that is busy otherwise. */
#define FRAGMENTS ((32 << 16) | 13)

static char data[1 << 16];

static int set(int sound, unsigned long what, int value)
{
	int got = value;

	if (ioctl(sound, what, &got) < 0 || got != value) {
		fprintf(stderr, "lab-sound: /dev/dsp takes %d in place of %d\n", got, value);
		return -1;
	}
	return 0;
}

static int open_sound(int mode)
{
	int sound = open("/dev/dsp", mode);
	int fragments = FRAGMENTS;

	if (sound < 0) {
		perror("lab-sound: /dev/dsp");
		return -1;
	}
	if (mode == O_RDONLY)
		ioctl(sound, SNDCTL_DSP_SETFRAGMENT, &fragments);
	if (set(sound, SNDCTL_DSP_SETFMT, AFMT_S16_LE) < 0 ||
	    set(sound, SNDCTL_DSP_CHANNELS, 2) < 0 || set(sound, SNDCTL_DSP_SPEED, 48000) < 0)
		return -1;
	return sound;
}

static int play(void)
{
	int sound = open_sound(O_WRONLY);
	ssize_t got;

	if (sound < 0)
		return 1;
	while ((got = read(STDIN_FILENO, data, sizeof(data))) > 0) {
		if (write(sound, data, (size_t)got) != got) {
			perror("lab-sound: write");
			return 1;
		}
	}
	if (ioctl(sound, SNDCTL_DSP_SYNC, 0) < 0) {
		perror("lab-sound: the end");
		return 1;
	}
	return 0;
}

static int record(size_t bytes)
{
	int sound = open_sound(O_RDONLY);
	ssize_t got;

	if (sound < 0)
		return 1;
	while (bytes > 0) {
		got = read(sound, data, bytes < sizeof(data) ? bytes : sizeof(data));
		if (got <= 0 || write(STDOUT_FILENO, data, (size_t)got) != got) {
			perror("lab-sound: record");
			return 1;
		}
		bytes -= (size_t)got;
	}
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "play") == 0)
		return play();
	if (argc == 3 && strcmp(argv[1], "record") == 0)
		return record(strtoul(argv[2], NULL, 10));
	fprintf(stderr, "lab-sound play | lab-sound record BYTES\n");
	return 2;
}
