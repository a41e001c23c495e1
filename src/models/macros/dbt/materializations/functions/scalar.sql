{% macro scalar_function_sql(target_relation) %}
    {% do return(adapter.dispatch('scalar_function_sql', 'dbt')(target_relation)) %}
{% endmacro %}

{% macro default__scalar_function_sql(target_relation) %}
    {{ scalar_function_create_replace_signature_sql(target_relation) }}
    {{ scalar_function_body_sql() }};
{% endmacro %}

{% macro scalar_function_create_replace_signature_sql(target_relation) %}
    {% do return(adapter.dispatch('scalar_function_create_replace_signature_sql', 'dbt')(target_relation)) %}
{% endmacro %}

{% macro default__scalar_function_create_replace_signature_sql(target_relation) %}
    CREATE OR REPLACE FUNCTION {{ target_relation.render() }} ({{ formatted_scalar_function_args_sql() }})
    RETURNS {{ model.returns.data_type }}
    {{ scalar_function_volatility_sql() }}
    AS
{% endmacro %}

{% macro scalar_function_body_sql() %}
    {% do return(adapter.dispatch('scalar_function_body_sql', 'dbt')()) %}
{% endmacro %}

{% macro default__scalar_function_body_sql() %}
    $$
       {{ model.compiled_code }}
    $$ LANGUAGE SQL
{% endmacro %}
