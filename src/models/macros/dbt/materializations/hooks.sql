{# Outside a transaction the one that may stand open is ended first, so that each hook runs by itself. #}
{% macro run_hooks(hooks, inside_transaction=True) %}
    {% for hook in hooks if hook.transaction == inside_transaction %}
        {% if loop.first and not inside_transaction %}
            {% call statement(auto_begin=False) %}
                commit;
            {% endcall %}
        {% endif %}
        {% do _run_hook(hook, inside_transaction) %}
    {% endfor %}
{% endmacro %}

{% macro _run_hook(hook, inside_transaction) %}
    {% set text = render(hook.get('sql')) | trim %}
    {% if text %}
        {% call statement(auto_begin=inside_transaction) %}
            {{ text }}
        {% endcall %}
    {% endif %}
{% endmacro %}

{% macro make_hook_config(sql, inside_transaction) %}
    {{ tojson({'sql': sql, 'transaction': inside_transaction}) }}
{% endmacro %}

{% macro before_begin(sql) %}
    {{ make_hook_config(sql, inside_transaction=False) }}
{% endmacro %}

{% macro in_transaction(sql) %}
    {{ make_hook_config(sql, inside_transaction=True) }}
{% endmacro %}

{% macro after_commit(sql) %}
    {{ make_hook_config(sql, inside_transaction=False) }}
{% endmacro %}
