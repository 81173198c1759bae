import com.fasterxml.jackson.databind.ObjectMapper;
import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.core.JsonValue;
import com.openai.errors.NotFoundException;
import com.openai.models.FunctionDefinition;
import com.openai.models.beta.assistants.Assistant;
import com.openai.models.beta.assistants.AssistantCreateParams;
import com.openai.models.beta.assistants.AssistantListParams;
import com.openai.models.beta.assistants.FunctionTool;
import com.openai.models.beta.threads.messages.Message;
import com.openai.models.beta.threads.messages.MessageCreateParams;
import com.openai.models.beta.threads.messages.MessageListParams;
import com.openai.models.beta.threads.runs.Run;
import com.openai.models.beta.threads.runs.RunCancelParams;
import com.openai.models.beta.threads.runs.RunCreateParams;
import com.openai.models.beta.threads.runs.RunRetrieveParams;
import com.openai.models.beta.threads.runs.RunStatus;
import com.openai.models.beta.threads.runs.RunSubmitToolOutputsParams;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Drives a server with the official Java client, and prints what happened as one JSON object. Argument: the base URL. */
public final class Flows {
  private final OpenAIClient client;
  private final Map<String, Object> seen = new LinkedHashMap<>();

  private Flows(OpenAIClient client) {
    this.client = client;
  }

  public static void main(String[] arguments) throws Exception {
    OpenAIClient client = OpenAIOkHttpClient.builder().baseUrl(arguments[0]).apiKey("any").maxRetries(0).build();
    System.out.println(new ObjectMapper().writeValueAsString(new Flows(client).play()));
    client.close();
  }

  private Map<String, Object> play() throws InterruptedException {
    Assistant assistant = client.beta().assistants().create(
        AssistantCreateParams.builder().model("gpt-4o").name((String) null).instructions("Be brief.").build());
    seen.put("assistants", client.beta().assistants().list(AssistantListParams.builder().limit(1).build()).autoPager().stream().count());
    polled(assistant);
    streamed(assistant);
    functions();
    try {
      client.beta().threads().retrieve("thread_000000000000000000000000");
    } catch (NotFoundException missing) {
      seen.put("missing", missing.statusCode());
    }
    return seen;
  }

  private void polled(Assistant assistant) throws InterruptedException {
    String thread = ask("Hi");
    Run run = settled(client.beta().threads().runs().create(thread, RunCreateParams.builder().assistantId(assistant.id()).build()));
    List<String> texts = new ArrayList<>();
    MessageListParams oldestFirst = MessageListParams.builder().limit(1).order(MessageListParams.Order.ASC).build();
    for (Message message : client.beta().threads().messages().list(thread, oldestFirst).autoPager()) {
      texts.add(message.validate().content().get(0).asText().text().value());
    }
    seen.put("polled", List.of(run.validate().status().asString(), run.usage().orElseThrow().totalTokens(), texts));
    seen.put("deleted", client.beta().threads().delete(thread).deleted());
  }

  private void streamed(Assistant assistant) {
    RunCreateParams params = RunCreateParams.builder().assistantId(assistant.id()).build();
    StringBuilder text = new StringBuilder();
    try (var stream = client.beta().threads().runs().createStreaming(ask("Hi"), params)) {
      stream.stream().forEach(event -> event.validate().threadMessageDelta().ifPresent(
          delta -> text.append(delta.data().delta().content().orElseThrow().get(0).asText().text().orElseThrow().value().orElseThrow())));
    }
    seen.put("streamed", text.toString());
  }

  private void functions() throws InterruptedException {
    FunctionTool tool = FunctionTool.builder().function(FunctionDefinition.builder().name("weather").build()).build();
    Assistant forecaster = client.beta().assistants().create(AssistantCreateParams.builder().model("gpt-4o").addTool(tool).build());
    Run asked = asks(forecaster);
    var call = asked.requiredAction().orElseThrow().submitToolOutputs().toolCalls().get(0);
    seen.put("asked", List.of(asked.status().asString(), call.function().name(), call.function().arguments()));
    var output = RunSubmitToolOutputsParams.ToolOutput.builder().toolCallId(call.id()).putAdditionalProperty("output", JsonValue.from(null)).build();
    Run answered = client.beta().threads().runs().submitToolOutputs(
        asked.id(), RunSubmitToolOutputsParams.builder().threadId(asked.threadId()).addToolOutput(output).build());
    seen.put("answered", settled(answered).status().asString());
    Run left = asks(forecaster);
    Run cancelled = client.beta().threads().runs().cancel(left.id(), RunCancelParams.builder().threadId(left.threadId()).build());
    seen.put("cancelled", settled(cancelled).status().asString());
  }

  private Run asks(Assistant assistant) throws InterruptedException {
    return settled(client.beta().threads().runs().create(ask("Oslo?"), RunCreateParams.builder().assistantId(assistant.id()).build()));
  }

  private String ask(String text) {
    String thread = client.beta().threads().create().id();
    client.beta().threads().messages().create(
        thread, MessageCreateParams.builder().role(MessageCreateParams.Role.USER).content(text).build());
    return thread;
  }

  private Run settled(Run created) throws InterruptedException {
    Run run = created;
    while (List.of(RunStatus.QUEUED, RunStatus.IN_PROGRESS, RunStatus.CANCELLING).contains(run.status())) {
      Thread.sleep(10);
      run = client.beta().threads().runs().retrieve(run.id(), RunRetrieveParams.builder().threadId(run.threadId()).build());
    }
    return run;
  }
}
