{% macro scalar_function_volatility_sql() %}
    {% do return(adapter.dispatch('scalar_function_volatility_sql', 'dbt')()) %}
{% endmacro %}

{# Nothing configured leaves it to the database. #}
{% macro default__scalar_function_volatility_sql() %}
    {% set words = {'deterministic': 'IMMUTABLE', 'stable': 'STABLE', 'non-deterministic': 'VOLATILE'} %}
    {% set volatility = model.config.get('volatility') %}
    {% if volatility is not none and volatility not in words %}
        {% do unsupported_volatility_warning(volatility) %}
    {% endif %}
    {{ words.get(volatility, '') }}
{% endmacro %}

{% macro scalar_function_volatility_javascript() %}
    {% do return(adapter.dispatch('scalar_function_volatility_javascript', 'dbt')()) %}
{% endmacro %}

{% macro default__scalar_function_volatility_javascript() %}
    {% set volatility = model.config.get('volatility') %}
    {% if volatility is not none %}
        {% do exceptions.warn('Functions in JavaScript have no volatility in ' ~ adapter.type() ~ ': the config has no effect') %}
    {% endif %}
{% endmacro %}

{% macro get_aggregate_function_volatility_specifier() %}
    {% do return(adapter.dispatch('get_aggregate_function_volatility_specifier', 'dbt')()) %}
{% endmacro %}

{% macro default__get_aggregate_function_volatility_specifier() %}
    {{ scalar_function_volatility_sql() }}
{% endmacro %}

{% macro unsupported_volatility_warning(volatility) %}
    {% do return(adapter.dispatch('unsupported_volatility_warning', 'dbt')(volatility)) %}
{% endmacro %}

{% macro default__unsupported_volatility_warning(volatility) %}
    {% do exceptions.warn("The function " ~ model.name ~ " has the volatility '" ~ volatility ~ "', which " ~ adapter.type() ~ ' does not know: it has no effect') %}
{% endmacro %}
