/**
 * The telephony that there is not.
 *
 * The package reads a vendor's shared capabilities only behind its telephony's configuration, voice
 * capabilities and calls; where one of these is missing it tells Salesforce nothing at all. So these three
 * answer that there is no voice here. What is only asked for is answered with nothing in it. What would act on a
 * call is the package's own "Not implemented", from which it makes the error that belongs to the action.
 */

import {
  ActiveCallsResult,
  AgentConfigResult,
  AudioDevicesResult,
  PhoneContactsResult,
  TelephonyConnector,
  VoiceCapabilitiesResult,
} from "scv-connector-base";

type VoiceCapabilities = ConstructorParameters<typeof VoiceCapabilitiesResult>[0];
type AgentConfigFields = ConstructorParameters<typeof AgentConfigResult>[0];

export class NoTelephony extends TelephonyConnector {
  override async getAgentConfig(): Promise<AgentConfigResult> {
    return new AgentConfigResult({ phones: [] } as unknown as AgentConfigFields);
  }

  override async getVoiceCapabilities(): Promise<VoiceCapabilitiesResult> {
    return new VoiceCapabilitiesResult({
      hasMute: false,
      hasRecord: false,
      hasMerge: false,
      hasSwap: false,
      isDialPadDisabled: true,
      isPhoneBookDisabled: true,
    } as VoiceCapabilities);
  }

  override async getActiveCalls(): Promise<ActiveCallsResult> {
    return new ActiveCallsResult({ activeCalls: [] });
  }

  override async getPhoneContacts(): Promise<PhoneContactsResult> {
    return new PhoneContactsResult({ contacts: [], contactTypes: [] });
  }

  /** The package calls it, though its declarations do not have it. */
  async getAudioDevices(): Promise<AudioDevicesResult> {
    return new AudioDevicesResult({ audioDevices: [] });
  }

  /** The package does not catch what this throws. */
  override wrapUpCall(): void {}
}
