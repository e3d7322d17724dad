// SPDX-License-Identifier: MIT
/*
 * lab-play, in the lab's guests: plays standard input on /dev/dsp, 48,000 times a second, two
 * channels, 16 bits, and waits until all of it was played.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/soundcard.h>
#include <unistd.h>

static int set(int sound, unsigned long what, int value)
{
	int got = value;

	if (ioctl(sound, what, &got) < 0 || got != value) {
		fprintf(stderr, "lab-play: /dev/dsp takes %d in place of %d\n", got, value);
		return -1;
	}
	return 0;
}

int main(void)
{
	static char data[1 << 16];
	int sound = open("/dev/dsp", O_WRONLY);
	ssize_t got;

	if (sound < 0) {
		perror("lab-play: /dev/dsp");
		return 1;
	}
	if (set(sound, SNDCTL_DSP_SETFMT, AFMT_S16_LE) < 0 ||
	    set(sound, SNDCTL_DSP_CHANNELS, 2) < 0 || set(sound, SNDCTL_DSP_SPEED, 48000) < 0)
		return 1;
	while ((got = read(STDIN_FILENO, data, sizeof(data))) > 0) {
		if (write(sound, data, (size_t)got) != got) {
			perror("lab-play: write");
			return 1;
		}
	}
	if (ioctl(sound, SNDCTL_DSP_SYNC, 0) < 0) {
		perror("lab-play: the end");
		return 1;
	}
	return 0;
}
