/* A stand-in for NVIDIA's driver: speaks the functions of NVML that the agent calls, and says what a
   text file says, which is read anew at every call. Lines of the file:
     init RESULT
     card UUID ENERGY_MJ UTILISATION ECC RESULT MIG NAME...
     slice CARD_PLACE INSTANCE UUID NAME...
     xid CARD_PLACE CODE           (told once)
   Each number may be -1: this device cannot say. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OK = 0, NOT_FOUND = 6, NOT_SUPPORTED = 3, INVALID = 2, TIMEOUT = 10, MOST = 64 };

typedef struct {
  int slice, card, instance;
  char uuid[96], name[96];
  long long energy;
  int utilisation, ecc, result, mig;
} device;
typedef struct { unsigned gpu, memory; } rates;
typedef struct {
  device *device;
  unsigned long long type, data;
  unsigned instance, compute;
} event;

static device devices[MOST];
static int count, init_result, xids[MOST][2], xid_count, told;

static void look(void) {
  char line[512];
  const char *path = getenv("NVML_STAND_IN");
  FILE *file = path ? fopen(path, "r") : NULL;
  count = xid_count = init_result = 0;
  memset(devices, 0, sizeof devices);
  while (file && fgets(line, sizeof line, file)) {
    device *d = &devices[count];
    if (sscanf(line, "init %d", &init_result) == 1) continue;
    if (sscanf(line, "card %95s %lld %d %d %d %d %95[^\n]", d->uuid, &d->energy, &d->utilisation,
               &d->ecc, &d->result, &d->mig, d->name) == 7)
      count++;
    else if (sscanf(line, "slice %d %d %95s %95[^\n]", &d->card, &d->instance, d->uuid, d->name) == 4)
      d->slice = 1, count++;
    else if (sscanf(line, "xid %d %d", &xids[xid_count][0], &xids[xid_count][1]) == 2)
      xid_count++;
  }
  if (file) fclose(file);
}

static device *card_at(int place) {
  for (int i = 0; i < count; i++)
    if (!devices[i].slice && place-- == 0) return &devices[i];
  return NULL;
}

static int copy(char *to, unsigned length, const char *from) {
  if (strlen(from) + 1 > length) return INVALID;
  strcpy(to, from);
  return OK;
}

const char *nvmlErrorString(int result) { return result == 15 ? "GPU is lost" : "stand-in fails"; }
int nvmlInitWithFlags(unsigned flags) { (void)flags; look(); return init_result; }
int nvmlShutdown(void) { return OK; }

int nvmlDeviceGetCount_v2(unsigned *cards) {
  look();
  *cards = 0;
  for (int i = 0; i < count; i++) *cards += !devices[i].slice;
  return OK;
}

int nvmlDeviceGetHandleByIndex_v2(unsigned place, device **found) {
  *found = card_at((int)place);
  return *found ? (*found)->result : NOT_FOUND;
}

int nvmlDeviceGetUUID(device *d, char *to, unsigned length) { return copy(to, length, d->uuid); }
int nvmlDeviceGetName(device *d, char *to, unsigned length) { return copy(to, length, d->name); }

int nvmlDeviceGetTotalEnergyConsumption(device *d, unsigned long long *energy) {
  *energy = (unsigned long long)d->energy;
  return d->energy < 0 ? NOT_SUPPORTED : OK;
}

int nvmlDeviceGetTotalEccErrors(device *d, int type, int counter, unsigned long long *errors) {
  (void)type, (void)counter;
  *errors = (unsigned long long)d->ecc;
  return d->ecc < 0 ? NOT_SUPPORTED : OK;
}

int nvmlDeviceGetUtilizationRates(device *d, rates *found) {
  found->gpu = (unsigned)d->utilisation;
  found->memory = 0;
  return d->utilisation < 0 ? NOT_SUPPORTED : OK;
}

int nvmlDeviceGetMigMode(device *d, unsigned *now, unsigned *pending) {
  *now = *pending = (unsigned)d->mig;
  return d->mig < 0 ? NOT_SUPPORTED : OK;
}

int nvmlDeviceGetMaxMigDeviceCount(device *d, unsigned *most) { (void)d; *most = 7; return OK; }

int nvmlDeviceGetMigDeviceHandleByIndex(device *d, unsigned slot, device **found) {
  for (int i = 0; i < count; i++)
    if (devices[i].slice && card_at(devices[i].card) == d && slot-- == 0) {
      *found = &devices[i];
      return OK;
    }
  return NOT_FOUND;
}

int nvmlDeviceGetGpuInstanceId(device *d, unsigned *instance) {
  *instance = (unsigned)d->instance;
  return d->slice ? OK : INVALID;
}

int nvmlEventSetCreate(void **set) { *set = &told; told = 0; return OK; }
int nvmlDeviceRegisterEvents(device *d, unsigned long long types, void *set) {
  (void)d, (void)types, (void)set;
  return OK;
}

int nvmlEventSetWait_v2(void *set, event *found, unsigned timeout_ms) {
  (void)set, (void)timeout_ms;
  if (told >= xid_count) return TIMEOUT;
  memset(found, 0, sizeof *found);
  found->device = card_at(xids[told][0]);
  found->data = (unsigned long long)xids[told++][1];
  return OK;
}
