/* main.c - coracle-data */
int main(void);
int main(void)
{
	return 1;
}
