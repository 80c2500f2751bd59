/*
 * `_dl_find_object` for a static program on musl: where the unwinding table is for an address.
 *
 * Debian 12's libgcc_eh was built for glibc, which has this since 2.35; musl only has
 * dl_iterate_phdr(3), which says the same more slowly. It is asked when a panic unwinds or a
 * backtrace is taken, so slowly is quick enough.
 */
#include <link.h>
#include <stddef.h>
#include <stdint.h>

/* As in glibc's <dlfcn.h>, on processors without dlfo_eh_dbase and dlfo_eh_count. */
struct dl_find_object {
	unsigned long long flags;
	void *map_start;
	void *map_end;
	struct link_map *link_map;
	void *eh_frame;
	unsigned long long reserved[7];
};

struct search {
	uintptr_t address;
	struct dl_find_object *found;
};

/* 1, which ends the walk, once the object around the address is found and has a table. */
static int look(struct dl_phdr_info *object, size_t size, void *data)
{
	struct search *search = data;
	uintptr_t start = UINTPTR_MAX, end = 0, table = 0;
	int inside = 0;

	(void)size;
	for (int i = 0; i < object->dlpi_phnum; i++) {
		const ElfW(Phdr) *part = &object->dlpi_phdr[i];
		uintptr_t from = object->dlpi_addr + part->p_vaddr;
		uintptr_t to = from + part->p_memsz;

		if (part->p_type == PT_GNU_EH_FRAME)
			table = from;
		if (part->p_type != PT_LOAD)
			continue;
		if (from <= search->address && search->address < to)
			inside = 1;
		if (from < start)
			start = from;
		if (to > end)
			end = to;
	}
	if (!inside || !table)
		return 0;
	*search->found = (struct dl_find_object){
		.map_start = (void *)start,
		.map_end = (void *)end,
		.eh_frame = (void *)table,
	};
	return 1;
}

/* 0 when it was found, -1 when no object holds the address, as glibc's. */
int _dl_find_object(void *address, struct dl_find_object *found)
{
	struct search search = { (uintptr_t)address, found };

	return dl_iterate_phdr(look, &search) == 1 ? 0 : -1;
}
